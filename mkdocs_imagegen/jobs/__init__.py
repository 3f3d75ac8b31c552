"""The work of getting images: which job runs, and when."""
