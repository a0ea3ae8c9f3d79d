"""How property-based tests are run: as usual, or at length in the campaign."""

from hypothesis import settings

# Speed is measured in benchmarks; on a busy machine a deadline would fail at random.
settings.register_profile("usual", settings(), deadline=None)
settings.register_profile("campaign", settings(), deadline=None, max_examples=2_000)
settings.register_profile("fuzz", settings(), deadline=None, max_examples=20_000)
settings.load_profile("usual")
