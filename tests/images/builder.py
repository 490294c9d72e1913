"""Builds images without a daemon, and runs what is in them: buildah, on a Debian made here.

Nothing is pulled: Debian comes from debootstrap and Beam's `boot` from its source. What is kept for
the next time are downloads, in ~/.cache/skewless/images; images are removed when the tests end.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "skewless/images"
LOCK = ROOT / "requirements/image-py3.13.txt"
DEBIAN, BEAM = "localhost/debian:trixie", "localhost/beam-sdk:local"
GIB = 1 << 30
NEEDED_SPACE = 20 * GIB
MINUTE = 60

# How this machine reaches its registries, as in scripts/clean_room.sh: the base image has it too.
_REGISTRY_SETTING = re.compile(
    r"(?i)(pip_|uv_|ssl_cert_|requests_ca_bundle$|curl_ca_bundle$|\w+_proxy$)"
    r"(?!\w*(DIR|LINKS)$)"
)
_REGISTRY_FILES = ("/etc/pip.conf", "/etc/uv/uv.toml", "/etc/ssl/certs/ca-certificates.crt")


def missing() -> list[str]:
    """Return what is to be done before images can be built here."""
    commands = {
        "buildah": "apt-get install buildah",
        "debootstrap": "apt-get install debootstrap",
        "unshare": "apt-get install util-linux",
        "go": "install Go 1.24 or newer",
    }
    wanted = [remedy for name, remedy in commands.items() if shutil.which(name) is None]
    if os.getuid() != 0:
        wanted.append("run as root, for debootstrap")
    CACHE.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(CACHE).free < NEEDED_SPACE:
        wanted.append(f"free {NEEDED_SPACE // GIB} GiB of disk in {CACHE}")
    return wanted


def registry_settings() -> dict[str, str]:
    """Return the settings in the environment by which package registries are reached."""
    return {k: v for k, v in os.environ.items() if _REGISTRY_SETTING.match(k)}


@dataclass(frozen=True)
class Builder:
    """A builder with a store of its own.

    Attributes:
      store: folder of its images and containers.
      driver: how layers are kept, "overlay" or "vfs"; the latter copies each whole.
    """

    store: Path
    driver: str

    @property
    def command(self) -> list[str]:
        """The builder's command, before its subcommand."""
        folders = ["--root", str(self.store / "root"), "--runroot", str(self.store / "run")]
        return ["buildah", *folders, "--storage-driver", self.driver]

    def __call__(self, *words: str, minutes: float = 5) -> str:
        """Run a subcommand and return what it prints."""
        (CACHE / "mounts").mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*self.command, *words],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(CACHE / "mounts")},  # where it keeps cache mounts
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=minutes * MINUTE,
            check=False,
        )
        if done.returncode != 0:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-60:])
            raise RuntimeError(f"buildah {' '.join(words)}: exit code {done.returncode}\n{said}")
        return done.stdout.strip()

    def take(
        self, root: Path, name: str, settings: Mapping[str, str] = {}, also: Path | None = None
    ) -> None:
        """Make an image of a root in a tar file, with settings, and more files over it."""
        container = self("from", "scratch")
        for tar in filter(None, (root, also)):
            self("add", "--quiet", container, str(tar), "/")
        environment = [word for k, v in settings.items() for word in ("--env", f"{k}={v}")]
        self("config", "--cmd", "bash", *environment, container)
        self("commit", "--quiet", "--rm", container, name)

    def build(self, target: str, arguments: Mapping[str, str]) -> str:
        """Build a target of the Dockerfile and return the image's name."""
        given = {"DEBIAN": DEBIAN, "BEAM_SDK": BEAM, **arguments}
        words = [word for k, v in given.items() for word in ("--build-arg", f"{k}={v}")]
        how = ("--isolation", "chroot", "--format", "docker", "--layers")  # OCI has no health check
        name = f"localhost/{target}:test"
        self("build", *how, "--target", target, "--tag", name, *words, ".", minutes=25)
        return name

    def inspect(self, image: str) -> dict[str, object]:
        """Return the image's settings in Docker's form."""
        docker: dict[str, object] = json.loads(self("inspect", "--type", "image", image))["Docker"]
        return docker

    def remove_containers(self) -> None:
        """Remove all containers, in which nothing may run any more."""
        self("rm", "--all")

    def remove_images(self) -> None:
        """Remove all images, and the store."""
        self("rmi", "--all", "--force")
        shutil.rmtree(self.store)


@dataclass(frozen=True)
class Container:
    """A container of an image, in which commands run one by one as the image's user."""

    builder: Builder
    name: str

    def command(self, words: Sequence[str], folders: Mapping[Path, str], user: str) -> list[str]:
        """Return what runs the words inside, in name spaces that end with it."""
        alone = "unshare --mount --propagation private --pid --fork --kill-child --mount-proc"
        volumes = [f"--volume={outside}:{inside}" for outside, inside in folders.items()]
        # They share this machine's network, so what one tells the other to call must be its name.
        options = ["--isolation", "chroot", "--hostname", "localhost", *volumes]
        options += [f"--user={user}"] if user else []
        run = [*self.builder.command, "run", *options, self.name, "--", *words]
        return [*alone.split(), *run]

    def run(
        self,
        *words: str,
        folders: Mapping[Path, str] = {},
        user: str = "",
        minutes: float = 2,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, with folders of the machine mounted."""
        try:
            return subprocess.run(
                self.command(words, folders, user),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=minutes * MINUTE,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = b"".join(filter(None, (late.stdout, late.stderr))).decode(errors="replace")
            raise RuntimeError(f"{words}: no end after {minutes} minutes\n{said[-9000:]}") from None

    @contextlib.contextmanager
    def running(
        self, *words: str, folders: Mapping[Path, str], log: Path
    ) -> Iterator[subprocess.Popen[str]]:
        """Run a command inside for as long as the context; both its outputs go to a file."""
        with open(log, "w", encoding="utf-8") as output:
            process = subprocess.Popen(
                self.command(words, folders, user=""),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.killpg(
                    process.pid, signal.SIGKILL
                )  # its name space's other processes end with it
            process.wait()


def storage_driver(folder: Path) -> str:
    """Return the best way of keeping layers that works in a folder."""
    with tempfile.TemporaryDirectory(dir=folder) as trial:
        lower, upper, work, merged = (Path(trial, n) for n in ("lower", "upper", "work", "merged"))
        for each in (lower, upper, work, merged):
            each.mkdir()
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
        tried = subprocess.run(["unshare", "--mount", *mount], capture_output=True, check=False)
    return "overlay" if tried.returncode == 0 else "vfs"


def debian_root() -> Path:
    """Return a tar file of a minimal Debian 13, made once."""
    kept = CACHE / "debian-trixie.tar"
    if not kept.exists():
        folder = CACHE / "debian-trixie"
        shutil.rmtree(folder, ignore_errors=True)
        include = "--include=ca-certificates"
        command = ["debootstrap", "--variant=minbase", include, "trixie", str(folder)]
        _check_run(command)
        made = folder.with_suffix(".tmp")
        pack(folder, made, ("var/cache/apt", "var/lib/apt/lists", "dev"))
        made.rename(kept)
        shutil.rmtree(folder)
    return kept


def beam_root(folder: Path) -> Path:
    """Return a tar file with what the worker image takes of Beam's: boot, built from its source."""
    (beam,) = re.findall(r"^apache-beam==([\d.]+)", LOCK.read_text(), re.MULTILINE)
    module = "github.com/apache/beam/sdks/v2"
    target = folder / "opt/apache/beam"
    target.mkdir(parents=True)
    _check_run(["go", "install", f"{module}/python/container@v{beam}"], {"GOBIN": str(folder)})
    (folder / "container").rename(target / "boot")
    modules = subprocess.run(
        ["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True
    )
    shutil.copyfile(
        Path(modules.stdout.strip()) / f"{module}@v{beam}" / "LICENSE", target / "LICENSE"
    )
    (target / "NOTICE").write_text("Apache Beam\n")
    return pack(folder, folder.with_suffix(".tar"))


def pack(folder: Path, tar: Path, but: Sequence[str] = ()) -> Path:
    """Write a folder to a tar file, without what lies in some folders of it."""
    with tarfile.open(tar, "w") as file:
        file.add(
            folder,
            arcname=".",
            filter=lambda each: (
                None if each.name[2:].startswith(tuple(f"{b}/" for b in but)) else each
            ),
        )
    return tar


def registry_files(tar: Path) -> Path:
    """Return a tar file of the files by which package registries are reached."""
    with tarfile.open(tar, "w") as file:
        for name in _REGISTRY_FILES:
            if Path(name).is_file():
                file.add(os.path.realpath(name), arcname=name)
    return tar


def _check_run(command: Sequence[str], settings: Mapping[str, str] = {}) -> None:
    done = subprocess.run(
        command,
        env=os.environ | dict(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=10 * MINUTE,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{said}")
