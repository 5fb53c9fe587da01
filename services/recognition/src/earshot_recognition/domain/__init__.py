"""Pure rules of recognition: which contribution earns what, and what standing follows."""
