"""A column of each type, with a form where the type has one."""

from schemas.columns import Column

FORMS = {
    "BOOL_TEXT": ("yes", "no"),
    "TIME": ("UNIX_SECONDS",),
    "TIME_TEXT": ("%Y-%m-%d %H:%M:%S",),
}


def column_of(kind: str, *form: str, name: str = "x") -> Column:
    return Column(name, kind, serving=True, form=form or FORMS.get(kind, ()))
