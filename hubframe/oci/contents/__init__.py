"""What is inside images: package databases and documents, read from bytes and without I/O.

All of it is untrusted: readers raise nothing but `PayloadError`, and a bad entry costs itself only.
"""
