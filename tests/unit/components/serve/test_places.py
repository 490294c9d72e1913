"""Which connections get a place if there are too many."""

import resource

import pytest

from components.serve import descriptors
from components.serve.places import Place, Places
from components.serve.settings import Address


class Client:
    def __init__(self, *, expendable=False):
        self.expendable = expendable
        self.aborted = False

    def abort(self):
        self.aborted = True


def test_places_are_given_until_there_are_none():
    places = Places(2, 1)
    clients = [Client() for _ in range(4)]
    assert [places.enter(client) for client in clients] == [
        Place.USUAL,
        Place.USUAL,
        Place.SPARE,
        Place.NONE,
    ]
    places.leave(clients[3])
    places.leave(clients[0])
    assert places.enter(Client()) is Place.USUAL
    assert not any(client.aborted for client in clients)


def test_the_oldest_that_is_expendable_makes_room():
    places = Places(3, 0)
    clients = [Client(), Client(expendable=True), Client(expendable=True)]
    for client in clients:
        places.enter(client)
    assert places.enter(Client()) is Place.USUAL
    assert [client.aborted for client in clients] == [False, True, False]
    assert places.enter(Client()) is Place.USUAL
    assert clients[2].aborted
    assert places.enter(Client()) is Place.NONE


def test_spare_places_are_made_free_too():
    places = Places(1, 1)
    places.enter(Client())
    silent = Client(expendable=True)
    assert places.enter(silent) is Place.SPARE
    assert places.enter(Client()) is Place.SPARE
    assert silent.aborted


@pytest.mark.parametrize(
    ("limit", "connections"), [(100_000, [1_000, 500]), (900, [1, 1]), (100, [16, 16])]
)
def test_no_more_connections_are_taken_than_there_are_descriptors(limit, connections, caplog):
    addresses = [Address(connections=1_000), Address(connections=500)]
    fitting = [each.connections for each in descriptors.affordable(addresses, limit)]
    if limit == 900:
        assert 16 < fitting[1] < fitting[0] < 900 - 128
        assert sum(fitting) < 900 - 128
    else:
        assert fitting == connections
    assert ("the limit of open files is" in caplog.text) == (limit < 100_000)


def test_the_limit_of_open_files_is_raised():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = min(512, before[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        limit = descriptors.raise_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == limit >= soft
        assert limit == before[1] or before[1] == resource.RLIM_INFINITY
        assert descriptors.raise_limit() == limit
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
