"""What registries say, read without asking them anything: the names of tags."""
