"""What lies in files of your own: read from the disk into frames, without a network.

References to images in Dockerfiles and YAML, reports of scanners, advisories, dates of end of life.
One module for each kind of file; strangers wrote most of them, so each is read up to a cap, and
nothing in them is ever run.
"""
