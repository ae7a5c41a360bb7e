"""What people use: the command line, the explorer, and tables in notebooks."""
