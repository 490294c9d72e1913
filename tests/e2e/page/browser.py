"""The page in headless Chromium."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

TIMEOUT = 10


class Page:
    """What a user does with the page, and sees."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser = browser
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(url)

    def all(self, css: str) -> list[Any]:
        return self.browser.find_elements("css selector", css)

    def one(self, css: str) -> Any:
        return self.browser.find_element("css selector", css)

    def text(self, css: str) -> str:
        return self.one(css).text

    def set(self, control: str, value: object, event: str = "change") -> None:
        """Give a control, by its id, a value, with the event that a user causes by that."""
        script = """
          const control = document.getElementById(arguments[0]);
          control.value = arguments[1];
          control.dispatchEvent(new Event(arguments[2], { bubbles: true }));
        """
        self.browser.execute_script(script, control, value, event)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for a condition; elements that do not exist yet are not an error."""
        from selenium.common.exceptions import (
            NoSuchElementException,
            StaleElementReferenceException,
        )
        from selenium.webdriver.support.ui import WebDriverWait

        early = [NoSuchElementException, StaleElementReferenceException]
        wait = WebDriverWait(self.browser, TIMEOUT, 0.02, ignored_exceptions=early)
        return wait.until(lambda _: condition())

    def until_score(self, expected: float) -> None:
        self.until(lambda: self.text(".facts dd") == f"{expected:.3f}")

    def field(self, name: str) -> Any:
        """Return the control with a label, as a screen reader finds it."""
        script = "return [...document.querySelectorAll('label')]"
        script += ".find((label) => label.textContent === arguments[0]).control"
        return self.browser.execute_script(script, name)

    def write(self, name: str, text: str) -> None:
        control = self.field(name)
        control.clear()
        control.send_keys(text)

    def give_token(self, text: str) -> None:
        self.until(lambda: self.one("#token-text").is_displayed())
        self.one("#token-text").send_keys(text)
        self.one("#token-form button").click()

    def complaints(self) -> list[str]:
        """Return the browser's console, without the server's refusals, which it logs, too."""
        entries = self.browser.get_log("browser")
        return [e["message"] for e in entries if "Failed to load resource" not in e["message"]]


@contextlib.contextmanager
def offline(browser: Any) -> Iterator[None]:
    """Let the browser reach nothing but files."""
    browser.execute_cdp_cmd("Network.enable", {})
    none = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", none)
    yield
    all_ = none | {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", all_)
