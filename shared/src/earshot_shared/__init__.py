"""What every service of Earshot needs, and nothing of their business."""
