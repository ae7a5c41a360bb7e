"""The two APIs as they are spoken: payloads in, payloads out. Nothing here knows a frame.

``transport`` is one exchange on the network (authorisation, redirects, retries), ``session``
answers that can change, from the cache where they are fresh, ``blobs`` documents that cannot
change, ``store`` where both are kept, ``hub`` the Docker Hub API, ``registry`` the distribution
protocol, ``providers`` the APIs that other registries have beside it; ``credentials`` and ``auth``
say who is asking, ``statuses`` turns refusals into errors.
"""
