"""References to images in files: Dockerfiles, compose files, manifests, workflows and others.

`frame.references_df` is what people call. `files` finds the files and reads their text, a module
for each family of files finds the images that are named there, and `found` reads the names. Nothing
in a file is run or constructed, and whatever a file holds, reading it raises `PayloadError` alone.
"""
