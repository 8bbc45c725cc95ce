"""What every test may count on."""

import locale

SPOKEN = locale.setlocale(locale.LC_ALL)


def pytest_runtest_teardown() -> None:
    """Undo what SimpleITK's DICOM writer does: it leaves the process in the C locale, where text is ASCII."""
    locale.setlocale(locale.LC_ALL, SPOKEN)
