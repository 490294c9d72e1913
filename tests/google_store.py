"""`python tests/google_store.py …`: gcp-storage-emulator, with the precondition that it lacks.

An upload with `ifGenerationMatch` is refused with 412 if the object has another version, or, for 0,
if the object exists.
"""

import threading
from http import HTTPStatus
from typing import Any

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers import objects

_insert, _turn = objects.insert, threading.Lock()


def insert(request: Any, response: Any, storage: Any, *args: Any, **kwargs: Any) -> Any:
    """Accept an upload whose precondition is met."""
    with _turn:
        for wanted in request.query.get("ifGenerationMatch", ()):
            name = request.data["meta"]["name"]
            if wanted != _generation(storage, request.params["bucket_name"], name):
                response.status = HTTPStatus.PRECONDITION_FAILED
                return None
        return _insert(request, response, storage, *args, **kwargs)


def _generation(storage: Any, bucket: str, name: str) -> str:
    try:
        return str(storage.get_file_obj(bucket, name)["generation"])
    except NotFound:
        return "0"


objects.insert = insert

from gcp_storage_emulator.__main__ import main  # noqa: E402 - it uses the patch above

if __name__ == "__main__":
    main()
