"""Money as an integer of minor units with its ISO 4217 currency; never a float."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

# ISO 4217 currencies whose minor unit is not a hundredth.
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENTS = dict.fromkeys(_WHOLE.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def exponent(currency: str) -> int:
    """Decimal places of the currency's minor unit: 2 for EUR, 0 for JPY."""
    return _EXPONENTS.get(currency, 2)


class Money(BaseModel):
    """An amount in minor units (cents); sums of different currencies are refused."""

    model_config = ConfigDict(frozen=True)

    minor: int
    currency: Currency

    def __add__(self, other: Self) -> Self:
        return self.model_copy(update={"minor": self.minor + self._same(other)})

    def __sub__(self, other: Self) -> Self:
        return self.model_copy(update={"minor": self.minor - self._same(other)})

    def __le__(self, other: Self) -> bool:
        return self.minor <= self._same(other)

    def __lt__(self, other: Self) -> bool:
        return self.minor < self._same(other)

    def _same(self, other: Self) -> int:
        if other.currency != self.currency:
            message = f"cannot combine {self.currency} with {other.currency}"
            raise ValueError(message)
        return other.minor

    @property
    def decimal(self) -> str:
        """The amount as a plain decimal string, for example `49.90`."""
        places = exponent(self.currency)
        sign, digits = "-" if self.minor < 0 else "", str(abs(self.minor)).rjust(places + 1, "0")
        return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)

    def __str__(self) -> str:
        symbol = _SYMBOLS.get(self.currency)
        return f"{symbol}{self.decimal}" if symbol else f"{self.decimal} {self.currency}"
