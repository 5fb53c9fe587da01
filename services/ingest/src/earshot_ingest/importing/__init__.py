"""Bulk import: files of several forms, through the same HTTP door as everything else."""
