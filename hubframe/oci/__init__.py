"""What registries say, read without asking them anything, and without frames.

``reference`` reads the names of images, ``tagnames`` those of tags, ``manifests`` indexes,
manifests and configs, ``platforms`` and ``history`` parts of them, ``payload`` their JSON.
"""
