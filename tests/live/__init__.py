"""Tests against Debian's docker-registry, filled by real tools and compared with skopeo."""
