"""The built-in profiles, as a `lowlat.profiles/1` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Positive
from lowlat.engine.flow.profile import Process, Profile, load_profile, profile_names

SCHEMA: Final = "lowlat.profiles/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProfile:
    """One profile."""

    name: Annotated[str, Meta(description="As --profile takes it", min_length=1)]
    description: Annotated[str, Meta(description="What its flow is")]
    symbols: Annotated[Positive, Meta(description="Number of books")]
    live_orders: Annotated[Positive, Meta(description="Resting orders over all books")]
    arrivals: Annotated[Process | None, Meta(description="Process of its arrival times; null: it plans none")]

    @classmethod
    def of(cls, profile: Profile) -> ListedProfile:
        """What the list says of a profile."""
        return cls(
            name=profile.name,
            description=profile.description,
            symbols=profile.symbols,
            live_orders=profile.live_orders,
            arrivals=profile.arrivals.process if profile.arrivals else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilesDocument:
    """The built-in profiles, by name, as `lowlat profile list --json` prints them."""

    schema: Annotated[Literal["lowlat.profiles/1"], Meta(description="Kind and version of the document")] = SCHEMA
    profiles: Annotated[tuple[ListedProfile, ...], Meta(description="Sorted by name")]


def built_in_profiles() -> ProfilesDocument:
    """All of them."""
    return ProfilesDocument(profiles=tuple(ListedProfile.of(load_profile(name)) for name in profile_names()))
