"""How many examples a property is tried with: few where somebody waits for the answer, many where CI does.

CI sets the variable CI, as `.ci/run` does; `pytest --hypothesis-profile=thorough` asks for the many anywhere.
A test gives a number of its own only when each of its examples is dear.
"""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=15, deadline=None)
settings.register_profile("thorough", max_examples=40, deadline=None, print_blob=True)
settings.load_profile("thorough" if os.environ.get("CI") else "quick")
