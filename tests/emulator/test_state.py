"""Balance, bill and watchers."""

import json
import threading
from decimal import Decimal

from tests.emulator.support import refused


def test_balance_decreases_with_each_image_until_requests_are_refused(make_api):
    api = make_api(balance_usd=Decimal("0.012"))
    assert [api.generate().status for _ in range(3)] == [200, 200, 402]
    refused(api.generate(), 402, "insufficient_funds")
    assert json.loads(api.get("/v1/credits").body) == {"balance": "0.002", "total_used": "0.01"}
    assert api.emulator.bill.usd == Decimal("0.01")
    assert api.emulator.bill.images == 2


def test_requests_from_many_threads_are_charged_exactly(make_api):
    api = make_api(balance_usd=Decimal("0.06"))
    statuses = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(api.generate(model="openai/gpt-image-2").status)
        )
        for _ in range(14)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 10 + [402] * 4
    assert len({each.status for each in api.emulator.log}) == 2
    assert api.emulator.bill.usd == Decimal("0.06")


def test_watcher_is_called_until_it_is_removed(api):
    seen = []
    stop = api.emulator.watch(seen.append)
    api.get("/v1/models")
    stop()
    api.get("/v1/models")
    assert [each.path for each in seen] == ["/v1/models"]
