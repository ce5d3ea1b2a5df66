"""`--columns`: what the columns of a table mean."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from lowlat_cli.listings import mapping_names

ColumnsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="MAPPING",
        autocompletion=mapping_names,
        help="What the columns of a table mean: {mappings}, a .toml file, or field=column,... "
        "(docs/reference/column-mappings.md).",
    ),
]
