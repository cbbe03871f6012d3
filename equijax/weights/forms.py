"""Linear equations in many unknowns, most of which say that two of them are equal.

A linear form is a dict from unknowns to coefficients, in rational numbers or modulo 2. Unknowns are
eliminated as equations come in, so that every form can be written in the unknowns that remain free.
"""

from fractions import Fraction

Form = dict[int, int | Fraction]


class Equations:
    """A homogeneous linear system, solved as it grows.

    Args:
      modulus: 2 for equations modulo 2; None for rational numbers.

    Example:
      >>> system = Equations()
      >>> a, b = system.unknown(), system.unknown()
      >>> system.vanish({a: 1, b: 2})
      >>> system.reduce({b: 4}), system.reduce({a: 1, b: 2})
      ({0: -2}, {})
    """

    def __init__(self, modulus: int | None = None):
        self._modulus = modulus
        self._solved: dict[int, Form] = {}
        self._count = 0

    def unknown(self) -> int:
        """A new unknown.

        Example:
          >>> Equations().unknown()
          0
        """
        self._count += 1
        return self._count - 1

    def combine(self, *terms: tuple[int | Fraction, Form]) -> Form:
        """The sum of forms times numbers.

        Example:
          >>> Equations(modulus=2).combine((1, {0: 1, 1: 1}), (1, {1: 1}))
          {0: 1}
        """
        total: Form = {}
        for factor, form in terms:
            for unknown, coefficient in form.items():
                value = total.get(unknown, 0) + factor * coefficient
                total[unknown] = value % self._modulus if self._modulus else value
        return {unknown: _plain(coefficient) for unknown, coefficient in total.items() if coefficient}

    def reduce(self, form: Form) -> Form:
        """The form in free unknowns.

        Example:
          >>> Equations().reduce({3: 1})
          {3: 1}
        """
        form = self.combine((1, form))
        while any(unknown in self._solved for unknown in form):
            form = self.combine(
                *(
                    (coefficient, self._solution(unknown) if unknown in self._solved else {unknown: 1})
                    for unknown, coefficient in form.items()
                )
            )
        return form

    def _solution(self, unknown: int) -> Form:
        """What an unknown was solved to be, shortened for the next time."""
        form = self._solved[unknown]
        if any(each in self._solved for each in form):
            form = self._solved[unknown] = self.combine(
                *((c, self._solution(u) if u in self._solved else {u: 1}) for u, c in form.items())
            )
        return form

    def vanish(self, form: Form) -> None:
        """Add the equation that a form is zero; of its free unknowns the newest is eliminated.

        Example:
          >>> system = Equations()
          >>> system.vanish({0: 1})
          >>> system.reduce({0: 5})
          {}
        """
        form = self.reduce(form)
        if form:
            pivot = max(form)
            coefficient = form.pop(pivot)
            inverse = 1 if self._modulus else Fraction(-1) / coefficient
            self._solved[pivot] = self.combine((inverse, form))

    def equate(self, a: Form, b: Form) -> None:
        """Add the equation that two forms are equal.

        Example:
          >>> system = Equations()
          >>> system.equate({0: 1}, {1: 1})
          >>> system.reduce({1: 1})
          {0: 1}
        """
        self.vanish(self.combine((1, a), (-1, b)))


def _plain(number: int | Fraction) -> int | Fraction:
    """An integer where it is one, which is faster."""
    return int(number) if number == int(number) else number
