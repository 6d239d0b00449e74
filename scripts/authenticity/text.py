"""Ordinary English sentences for the synthesisers: what people say on a telephone, put together at random."""

from typing import Final

import numpy as np

_OPENING: Final = (
    "hello,", "good morning,", "yes,", "well,", "excuse me,", "I think", "she said that", "maybe", "in the evening", "last year",
    "please remember that", "of course", "honestly,", "for example,", "on Monday", "my sister told me that", "it seems that", "I hope",
)  # fmt: skip
_WHO: Final = (
    "the doctor", "my father", "our new neighbour", "the little girl", "a friend of mine", "the bus driver", "this company", "the teacher",
    "your brother", "the old man", "my account manager", "the weather", "the children", "nobody", "everyone in the office", "the cat",
    "the customer", "a young woman", "the manager of the bank", "my voice", "the train from London", "the kitchen window",
)  # fmt: skip
_DOES: Final = (
    "would like to see", "has forgotten", "is waiting for", "never talks about", "bought", "is looking at", "will send", "needs",
    "could not find", "wants to change", "was very happy with", "asked about", "opened", "is afraid of", "has already paid for", "likes",
    "does not believe in", "usually takes", "may call you about", "left home without",
)  # fmt: skip
_WHAT: Final = (
    "a cup of tea", "the blue car", "three tickets to the zoo", "the password", "a new telephone", "six hundred and forty two dollars",
    "the meeting at half past nine", "his birthday party", "the last bus", "some fresh bread", "a glass of cold water", "the big dog",
    "the credit card", "a long letter from school", "five shirts and a jacket", "the answer", "her homework", "the garden", "a quiet room",
    "the wrong number", "seven eight two four one", "a chocolate cake", "the money", "an old photograph", "the next flight to Paris",
)  # fmt: skip
_END: Final = (
    "before lunch", "every day", "in the city", "because it was raining", "and nobody noticed", "at the station", "this summer",
    "on the way to work", "with a smile", "if you have time", "as usual", "near the river", "in July", "for the first time", "",
)  # fmt: skip


def sentence(rng: np.random.Generator) -> str:
    """One sentence of 2 to 5 s."""
    return " ".join(part for part in (str(rng.choice(words)) for words in (_OPENING, _WHO, _DOES, _WHAT, _END)) if part).capitalize() + "."
