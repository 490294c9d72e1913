"""Builds images as an ordinary user, without a daemon, and runs commands in them: buildah.

No image registry is needed: mmdebstrap makes Debian, and Go, which is taken from PyPI, makes Beam's
`boot` from its source. Everything is in one folder, the store.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import pwd
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "skewless-images"  # the builder's user if root runs the tests
NEEDED_SPACE = 10 << 30
DEBIAN, BEAM = "localhost/debian:trixie", "localhost/beam-sdk:local"
LAUNCHER = "localhost/launcher:local"
_BASES = """
FROM scratch AS debian
ADD debian.tar registries.tar /
CMD ["bash"]

FROM scratch AS beam
COPY boot LICENSE NOTICE /opt/apache/beam/
# No launcher but Google's own starts a template, and that is in Google's registry alone.
FROM scratch AS launcher
COPY NOTICE /opt/google/dataflow/python_template_launcher
"""
# This machine's settings for registries, as in scripts/clean_room.sh: the base image has them, too.
_REGISTRY_SETTING = re.compile(
    r"(?i)(pip_|uv_|ssl_cert_|requests_ca_bundle$|curl_ca_bundle$|\w+_proxy$)"
    r"(?!\w*(DIR|LINKS)$)"
)
_REGISTRY_FILES = ("/etc/pip.conf", "/etc/uv/uv.toml", "/etc/ssl/certs/ca-certificates.crt")
_LICENSE = Path("/usr/share/common-licenses/Apache-2.0")  # Beam's license


def missing(store: Path) -> list[str]:
    """Return what is missing to build images in a folder."""
    packages = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "newuidmap": "uidmap"}
    wanted = [f"apt-get install {p}" for c, p in packages.items() if shutil.which(c) is None]
    user = ACCOUNT if os.getuid() == 0 else getpass.getuser()
    ids = Path("/etc/subuid")
    if user not in {each.pw_name for each in pwd.getpwall()}:
        wanted.append(f"useradd --create-home {user}, since the builder is not to be root")
    elif not (ids.exists() and f"\n{user}:" in "\n" + ids.read_text()):
        wanted.append(f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}")
    if shutil.disk_usage(store).free < NEEDED_SPACE:
        wanted.append(f"free {NEEDED_SPACE >> 30} GiB of disk in {store}")
    return wanted


def hand_over(folder: Path) -> None:
    """Give a folder to the builder's user, and give its other ids access."""
    folder.chmod(0o755)
    if os.getuid() == 0:
        shutil.chown(folder, ACCOUNT, ACCOUNT)


@dataclass(frozen=True)
class Builder:
    """A builder with a separate store; it has no privileges on the machine.

    Attributes:
      store: the folder of its images and containers.
    """

    store: Path

    def command(self, *words: str) -> list[str]:
        """Return a command as run by the builder's user, with the store as its home."""
        user = ("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups")
        settings = {
            "HOME": self.store,
            "XDG_RUNTIME_DIR": self.store,
            "TMPDIR": self.store / "tmp",
            "STORAGE_DRIVER": "overlay",  # the other driver copies each whole layer
        }
        set_up = ["env", f"--chdir={self.store}", *(f"{k}={v}" for k, v in settings.items())]
        return [*(user if os.getuid() == 0 else ()), *set_up, *words]

    def run(self, *words: str, minutes: float = 5, given: bytes = b"") -> str:
        """Run a command as the builder's user and return what it prints.

        Raises:
          RuntimeError: it failed, or took longer.
        """
        limit = ("timeout", "--kill-after=10", f"{minutes}m")
        done = subprocess.run(
            self.command(*limit, *words), input=given, capture_output=True, check=False
        )
        said = done.stdout.decode()
        if done.returncode != 0:
            end = "\n".join((said + done.stderr.decode()).splitlines()[-60:])
            raise RuntimeError(f"{' '.join(words)}: exit code {done.returncode}\n{end}")
        return said.strip()

    def make_bases(self, boot: Path) -> None:
        """Make the base images: Debian, and the one with Beam's `boot`."""
        bases = self.store / "bases"
        self.run("mkdir", "--parents", str(bases), str(self.store / "tmp"))
        debian = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates"]
        debian += ["--dpkgopt=force-unsafe-io", "trixie", str(bases / "debian.tar")]
        self.run(*debian, minutes=20)
        files = {name.lstrip("/"): Path(name) for name in _REGISTRY_FILES if Path(name).is_file()}
        self.run("tee", str(bases / "registries.tar"), given=_tar(files))
        self._unpack(bases, {"boot": boot, "LICENSE": _LICENSE, "NOTICE": _LICENSE})
        self.run("tee", str(bases / "Dockerfile"), given=_BASES.encode())
        settings = [f"--env={k}={v}" for k, v in os.environ.items() if _REGISTRY_SETTING.match(k)]
        self._build(bases, DEBIAN, "--target=debian", *settings)
        self._build(bases, BEAM, "--target=beam")
        self._build(bases, LAUNCHER, "--target=launcher")

    def build(self, target: str, arguments: Mapping[str, str]) -> str:
        """Build a target of the Dockerfile from the files that git knows; return its name."""
        listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
        names = listed.split("\0")[:-1]
        source = self.store / "source"
        self.run("rm", "--recursive", "--force", str(source))
        self._unpack(source, {name: ROOT / name for name in names if (ROOT / name).exists()})
        given = {"DEBIAN": DEBIAN, "BEAM_SDK": BEAM, **arguments}
        name = f"localhost/{target}:test"
        options = [f"--build-arg={k}={v}" for k, v in given.items()]
        self._build(source, name, f"--target={target}", *options)
        return name

    def build_template(self, worker: str, model: Path) -> str:
        """Build the flex template from the worker's image and a folder of versions."""
        given = {"WORKER": worker, "LAUNCHER": LAUNCHER}
        options = [f"--build-arg={k}={v}" for k, v in given.items()]
        name = "localhost/template:test"
        folder = self.store / "source/deploy/dataflow"
        self._build(folder, name, f"--build-context=model={model}", *options)
        return name

    def _build(self, context: Path, tag: str, *options: str) -> None:
        how = ("--isolation=chroot", "--format=docker", "--layers")  # OCI has no health check
        self.run("buildah", "build", *how, f"--tag={tag}", *options, str(context), minutes=40)

    def _unpack(self, folder: Path, files: Mapping[str, Path]) -> None:
        """Copy files into a folder, which the builder itself may not be able to access."""
        self.run("mkdir", "--parents", str(folder))
        self.run("tar", "--extract", f"--directory={folder}", given=_tar(files))

    def inspect(self, image: str) -> dict[str, object]:
        """Return the image's settings in Docker's form."""
        docker: dict[str, object] = json.loads(
            self.run("buildah", "inspect", "--type=image", image)
        )["Docker"]
        return docker

    def remove(self) -> None:
        """Remove the store; what containers wrote there belongs to other users."""
        self.run("buildah", "unshare", "rm", "--recursive", "--force", str(self.store))


@dataclass(frozen=True)
class Container:
    """A container of an image, in which commands run one by one as the image's user.

    Attributes:
      builder: the builder of the container.
      name: its name there.
      shared: a folder that everybody may write, /shared inside.
    """

    builder: Builder
    name: str
    shared: Path

    @classmethod
    def of(cls, builder: Builder, image: str, shared: Path) -> Container:
        """Make a container of an image.

        A command that is killed may leave its container half unmounted, and unusable from then on.
        So a server, which is killed in the end, gets a container that nothing else uses.
        """
        return cls(builder, builder.run("buildah", "from", image), shared)

    def command(self, words: Sequence[str], user: str = "") -> list[str]:
        """Return the command that runs these words inside, in name spaces that end with it."""
        alone = ["buildah", "unshare", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        # Containers share this machine's network, so they reach each other by its name.
        options = ["--isolation=chroot", "--hostname=localhost", f"--volume={self.shared}:/shared"]
        options += [f"--user={user}"] if user else []
        return self.builder.command(*alone, "buildah", "run", *options, self.name, "--", *words)

    def run(
        self, *words: str, user: str = "", minutes: float = 5
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside; after some minutes it is killed, with exit code 124."""
        limited = ("timeout", "--kill-after=10", f"{minutes}m", *words)
        command = self.command(limited, user)
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )


def _tar(files: Mapping[str, Path]) -> bytes:
    """Return a tar file with these files under other names; links are followed."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", dereference=True) as tar:
        for name, path in files.items():
            tar.add(path, name)
    return made.getvalue()
