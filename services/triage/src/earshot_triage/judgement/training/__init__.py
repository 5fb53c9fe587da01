"""How weights are made: reading labelled material, laying it out as a matrix, fitting, packing into tables."""
