"""`--with-identity`: what says whose host it is stays in a capture."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

WithIdentityOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--with-identity", help="Keep the names of host and users, addresses and serial numbers in what is captured."
    ),
]
