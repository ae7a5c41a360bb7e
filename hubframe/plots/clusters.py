"""An order in which what is alike stands together."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


def clustered(likeness: Reals) -> list[int]:
    """Order things so that those that are alike are neighbours.

    The two groups that are most alike on average are joined, again and again, each turned so that
    its likest ends meet. The time grows as the cube of their number: this is for what one picture
    holds.

    Parameters
    ----------
    likeness
        A symmetric matrix, from 0 up.

    Returns
    -------
    list of int
        Rows of the matrix, each once.

    Examples
    --------
    >>> clustered(np.array([[1, 0, 0.5], [0, 1, 0], [0.5, 0, 1]]))
    [0, 2, 1]
    """
    count = len(likeness)
    groups = {number: [number] for number in range(count)}
    near = np.array(likeness, dtype="float64")
    np.fill_diagonal(near, -1)
    while len(groups) > 1:
        first, second = sorted(map(int, divmod(int(near.argmax()), count)))
        sizes = len(groups[first]), len(groups[second])
        joined = np.average(near[[first, second]], axis=0, weights=sizes)
        joined[[first, second]] = -1
        groups[first] = _joined(groups[first], groups.pop(second), likeness)
        near[first] = near[:, first] = joined
        near[second] = near[:, second] = -1
    return groups[0] if groups else []


def _joined(left: list[int], right: list[int], likeness: Reals) -> list[int]:
    """Put two groups side by side with the likest of their ends in the middle."""
    ways = [(one, other) for one in (left, left[::-1]) for other in (right, right[::-1])]
    one, other = max(ways, key=lambda way: likeness[way[0][-1], way[1][0]])
    return one + other
