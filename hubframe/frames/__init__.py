"""The public calls: what is asked for, where it is fetched, and the frame that is made of it."""

from hubframe.frames import cache as cache
