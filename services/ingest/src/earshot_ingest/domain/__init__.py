"""What ingest decides, purely: what an item becomes, who may assert what, and how an item changes afterwards."""
