"""Programs that the repository keeps beside the package."""
