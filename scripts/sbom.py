"""Write what a Hexcore is made of as CycloneDX JSON: `python -m scripts.sbom [--python PYTHON] [FILE]`.

The packages are those installed beside PYTHON (this Python where none is named); the data packages stand
beside them with the hashes that set-up checks.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hexcore_engine import __version__
from hexcore_engine.data.packages import CARDS, MODEL, SENTENCES, DataPackage

ROOT = Path(__file__).resolve().parent.parent
KINDS = {CARDS.name: "data", MODEL.name: "machine-learning-model", SENTENCES.name: "machine-learning-model"}


def installed(python: Path) -> dict[str, Any]:
    """The document about what is installed beside a Python, the same for the same packages."""
    program = Path(sys.executable).parent / "cyclonedx-py"
    command = [
        program,
        "environment",
        "--output-reproducible",
        "--pyproject",
        ROOT / "pyproject.toml",
        python,
    ]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cyclonedx-py could not read {python}: {done.stderr.strip()}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def component(package: DataPackage) -> dict[str, Any]:
    """A data package, with the hashes of its wheel and, where set-up checks it, of the member in use."""
    properties = [{"name": "hexcore:member", "value": package.member}]
    if package.member_sha256:
        properties.append({"name": "hexcore:member-sha256", "value": package.member_sha256})
    return {
        "type": KINDS[package.name],
        "bom-ref": f"data:{package.name}",
        "name": package.name,
        "version": package.version,
        "description": "fetched by set-up as data, never installed as code",
        "hashes": [{"alg": "SHA-256", "content": package.sha256}],
        "licenses": [{"license": {"id": package.licence}}],
        "purl": f"pkg:pypi/{package.name}@{package.version}",
        "properties": properties,
    }


def with_data(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the data packages and our own version."""
    data = [component(package) for package in (CARDS, MODEL, SENTENCES)]
    document["components"] = sorted([*document["components"], *data], key=lambda part: str(part["bom-ref"]))
    root = document["metadata"]["component"]
    root["version"] = __version__
    (depends,) = (entry for entry in document["dependencies"] if entry["ref"] == root["bom-ref"])
    depends["dependsOn"] = sorted({*depends.get("dependsOn", ()), *(part["bom-ref"] for part in data)})
    document["dependencies"] += [{"ref": part["bom-ref"]} for part in data]
    return document


def problems(text: str) -> list[str]:
    """What the standard's own schema finds wrong."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return [str(found)] if found else []


def write(file: Path, python: Path) -> None:
    """Write the document; SystemExit where the schema refuses it."""
    text = json.dumps(with_data(installed(python)), indent=2, ensure_ascii=False) + "\n"
    if found := problems(text):
        raise SystemExit("\n".join(found))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def main() -> int:
    """Write the file and say where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "dist" / f"hexcore-{__version__}.cdx.json"
    )
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="whose packages are listed")
    options = parser.parse_args()
    write(options.file, options.python)
    print(options.file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
