"""Commands of the command line that are Python, a file each: `run(arguments)`."""
