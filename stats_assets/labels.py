"""What every asset and check carries in the UI besides its room's own words: where it is explained, and its code.

Put on all of them in one place, so that no room can forget it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.shared.runbooks import page, page_of_check

_CODE = "dagster/code_references"


def labelled(definitions: dg.Definitions, docs_url: str | None) -> dg.Definitions:
    """The same definitions: assets with their runbook and their code, checks with their place in the runbook.

    `docs_url` is where the files of this repository can be read; without it they are named as here on disk.
    """
    assets = [each for each in definitions.assets or [] if isinstance(each, dg.AssetsDefinition)]
    return dg.Definitions(
        assets=[_labelled(each, docs_url) for each in dg.with_source_code_references(assets)],
        asset_checks=[_labelled(each, docs_url) for each in definitions.asset_checks or []],
        jobs=definitions.jobs,
        schedules=definitions.schedules,
        sensors=definitions.sensors,
        resources=definitions.resources,
        executor=definitions.executor,
    )


def _labelled(definition: Any, docs_url: str | None) -> Any:
    """Of the same class; checks inside an asset's own step are labelled with it."""
    attributes = definition.get_attributes_dict()
    attributes["specs"] = [_asset(spec, docs_url) for spec in attributes["specs"]]
    checks: Mapping[str, dg.AssetCheckSpec] = attributes["check_specs_by_output_name"]
    attributes["check_specs_by_output_name"] = {output: _check(spec, docs_url) for output, spec in checks.items()}
    return type(definition).dagster_internal_init(**attributes)


def _asset(spec: dg.AssetSpec, docs_url: str | None) -> dg.AssetSpec:
    labels: dict[str, Any] = {"runbook": _link(page(spec.key.path[0]), docs_url)}
    if "dagster/table_name" in spec.metadata:
        labels["tables"] = _link("docs/schema.md", docs_url)
    if docs_url is not None and _CODE in spec.metadata:
        labels[_CODE] = _published(spec.metadata[_CODE], docs_url)
    return spec.merge_attributes(metadata=labels)


def _check(spec: dg.AssetCheckSpec, docs_url: str | None) -> dg.AssetCheckSpec:
    """The page of a check shows its description, not its metadata."""
    link = _link(_place(spec), docs_url)
    told = f"[{_place(spec)}]({link.value})" if docs_url else f"`{link.value}`"
    return spec._replace(
        description=f"{spec.description or ''} What to do: {told}".strip(),
        metadata={**spec.metadata, "runbook": link},
    )


def _place(spec: dg.AssetCheckSpec) -> str:
    return page_of_check(spec.asset_key.to_user_string(), spec.name)


def _link(file: str, docs_url: str | None) -> dg.MetadataValue:
    return dg.MetadataValue.path(file) if docs_url is None else dg.MetadataValue.url(f"{docs_url.rstrip('/')}/{file}")


def _published(code: dg.CodeReferencesMetadataValue, docs_url: str) -> dg.CodeReferencesMetadataValue:
    """References to files here as references to the same files where everybody can read them."""
    references: list[Any] = [
        dg.UrlCodeReference(url=f"{docs_url.rstrip('/')}/{_name(each.file_path)}#L{each.line_number or 1}")
        for each in code.code_references
        if isinstance(each, dg.LocalFileCodeReference)
    ]
    return dg.CodeReferencesMetadataValue(code_references=references)


def _name(file: str) -> str:
    return Path(file).resolve().relative_to(PROJECT_FOLDER).as_posix()
