"""Who there is: organisations, their parties and places, and what they make."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Any

from simulation import numbering


@dataclass(frozen=True)
class Site:
    """A place with its party and organisation."""

    number: int
    name: str
    kind: str
    msp: str
    company: str
    country: str
    latitude: float
    longitude: float

    @property
    def place(self) -> str:
        return numbering.place(self.number)

    @property
    def party(self) -> str:
        return numbering.party(COMPANIES[self.company][0])


SUPPLIER, MANUFACTURER = "SupplierMSP", "ManufacturerMSP"
CARRIER, DISTRIBUTOR, RETAILER = "CarrierMSP", "DistributorMSP", "RetailerMSP"
MSPS = (SUPPLIER, MANUFACTURER, CARRIER, DISTRIBUTOR, RETAILER)

COMPANIES = {
    "Andes Coffee Growers": (10, SUPPLIER, "CO"),
    "Volta Cocoa Cooperative": (11, SUPPLIER, "GH"),
    "Parma Tomato Growers": (12, SUPPLIER, "IT"),
    "Frisian Dairy": (13, SUPPLIER, "NL"),
    "Maison Rivière Foods": (20, MANUFACTURER, "FR"),
    "Transalpin Logistics": (30, CARRIER, "CH"),
    "Nordhaven Distribution": (40, DISTRIBUTOR, "DE"),
    "Corner & Co": (50, RETAILER, "DE"),
}
"""Company -> party number, organisation, country."""

SUPPLIERS = (
    Site(110, "Armenia cooperative mill", "supplier", SUPPLIER, "Andes Coffee Growers", "CO", 4.5339, -75.6811),
    Site(111, "Tema cocoa warehouse", "supplier", SUPPLIER, "Volta Cocoa Cooperative", "GH", 5.6698, -0.0166),
    Site(112, "Parma washing station", "supplier", SUPPLIER, "Parma Tomato Growers", "IT", 44.8015, 10.3279),
    Site(113, "Leeuwarden dairy", "supplier", SUPPLIER, "Frisian Dairy", "NL", 53.2012, 5.7999),
)
PLANTS = (
    Site(120, "Lyon plant", "plant", MANUFACTURER, "Maison Rivière Foods", "FR", 45.7640, 4.8357),
    Site(121, "Torino plant", "plant", MANUFACTURER, "Maison Rivière Foods", "IT", 45.0703, 7.6869),
)
HUB = Site(130, "Basel cross-dock", "hub", CARRIER, "Transalpin Logistics", "CH", 47.5596, 7.5886)
CENTRES = (
    Site(140, "Hamburg distribution centre", "dc", DISTRIBUTOR, "Nordhaven Distribution", "DE", 53.5511, 9.9937),
    Site(141, "Zaragoza distribution centre", "dc", DISTRIBUTOR, "Nordhaven Distribution", "ES", 41.6488, -0.8891),
    Site(142, "Wrocław distribution centre", "dc", DISTRIBUTOR, "Nordhaven Distribution", "PL", 51.1079, 17.0385),
)
_SHOPS = (
    ("Hamburg Altona", "DE", 53.5503, 9.9346, 0, 1.3),
    ("Madrid Centro", "ES", 40.4168, -3.7038, 1, 1.2),
    ("Warszawa Wola", "PL", 52.2297, 20.9800, 2, 1.1),
    ("Berlin Mitte", "DE", 52.5200, 13.4050, 0, 1.5),
    ("Barcelona Gràcia", "ES", 41.4036, 2.1560, 1, 1.0),
    ("Praha Karlín", "CZ", 50.0930, 14.4510, 2, 0.9),
    ("København Nørrebro", "DK", 55.6960, 12.5480, 0, 0.8),
    ("Lisboa Chiado", "PT", 38.7103, -9.1420, 1, 0.7),
    ("Kraków Kazimierz", "PL", 50.0510, 19.9460, 2, 0.8),
    ("Amsterdam Oost", "NL", 52.3620, 4.9300, 0, 0.9),
    ("Valencia Ruzafa", "ES", 39.4610, -0.3730, 1, 0.6),
    ("Wien Neubau", "AT", 48.2010, 16.3490, 2, 0.9),
)


@dataclass(frozen=True)
class Shop:
    """A shop, the centre that supplies it and its size beside an average shop."""

    site: Site
    centre: Site
    size: float


SHOPS = tuple(
    Shop(Site(150 + n, f"Shop {name}", "shop", RETAILER, "Corner & Co", country, lat, lon), CENTRES[centre], size)
    for n, (name, country, lat, lon, centre, size) in enumerate(_SHOPS)
)


@dataclass(frozen=True)
class Material:
    """What a product is made of: bought by the kilogram."""

    item: int
    name: str
    supplier: Site
    days: tuple[float, float]
    """Mean and spread of the days from supplier to plant."""

    @property
    def gtin(self) -> str:
        return numbering.gtin14(self.item)


COFFEE = Material(900, "Green coffee", SUPPLIERS[0], (21.0, 4.0))
COCOA = Material(901, "Cocoa beans", SUPPLIERS[1], (17.0, 3.0))
TOMATO = Material(902, "Tomatoes", SUPPLIERS[2], (1.5, 0.5))
MILK = Material(903, "Milk powder", SUPPLIERS[3], (3.0, 0.8))
MATERIALS = (COFFEE, COCOA, TOMATO, MILK)


@dataclass(frozen=True)
class Product:
    """A finished product. ``recipe`` is kilograms of each material in a unit.

    ``daily`` is the mean demand of an average shop in units a day; ``peak`` the day of the year of highest demand
    and ``swing`` how much that differs from the mean; ``weekend`` the factor on Friday and Saturday; ``trend`` the
    growth a year. ``cased`` products travel and sell in serialised cases.
    """

    item: int
    name: str
    plant: Site
    recipe: tuple[tuple[Material, float], ...]
    daily: float
    peak: int
    swing: float
    weekend: float
    trend: float
    batch: int
    shelf_days: int
    cased: bool = False

    @property
    def gtin(self) -> str:
        return numbering.gtin14(self.item, 1 if self.cased else 0)

    def rate(self, day: int, day_of_year: int, weekday: int) -> float:
        """Mean demand of an average shop on a day, before promotions."""
        season = 1 + self.swing * cos(2 * pi * (day_of_year - self.peak) / 365.25)
        week = self.weekend if weekday in (4, 5) else 0.55 if weekday == 6 else 1.0
        growth: float = (1 + self.trend) ** (day / 365.25)
        return self.daily * season * week * growth


PRODUCTS = (
    Product(100, "Espresso beans 500 g", PLANTS[0], ((COFFEE, 0.58),), 14, 10, 0.18, 1.25, 0.08, 2600, 540),
    Product(101, "Iced coffee 250 ml", PLANTS[0], ((COFFEE, 0.03), (MILK, 0.04)), 20, 200, 0.65, 1.15, 0.15, 3400, 270),
    Product(102, "Dark chocolate 100 g", PLANTS[0], ((COCOA, 0.09),), 18, 350, 0.55, 1.20, 0.03, 3200, 420),
    Product(103, "Hot cocoa 400 g", PLANTS[0], ((COCOA, 0.12), (MILK, 0.20)), 9, 5, 0.75, 1.05, 0.0, 1800, 540),
    Product(104, "Tomato passata 680 g", PLANTS[1], ((TOMATO, 0.95),), 16, 40, 0.12, 1.10, 0.02, 2900, 720),
    Product(105, "Tomato juice 1 l", PLANTS[1], ((TOMATO, 1.10),), 11, 190, 0.35, 1.10, -0.10, 2000, 365),
    Product(
        106, "Chocolate gift box (case)", PLANTS[0], ((COCOA, 1.6),), 0.35, 352, 0.9, 1.3, 0.1, 80, 300, cased=True
    ),
    Product(107, "Roastery reserve (case)", PLANTS[0], ((COFFEE, 6.4),), 0.25, 340, 0.3, 1.2, 0.2, 60, 540, cased=True),
)


def sites(shops: int) -> tuple[Site, ...]:
    """Every place of a network with so many shops."""
    return (*SUPPLIERS, *PLANTS, HUB, *CENTRES, *(shop.site for shop in SHOPS[:shops]))


def parties() -> list[dict[str, Any]]:
    """Registration records of the companies, with the organisation that speaks for each."""
    return [
        {"msp": msp, "id": numbering.party(number), "name": name, "country": country}
        for name, (number, msp, country) in COMPANIES.items()
    ]


def places(shops: int) -> list[dict[str, Any]]:
    """Registration records of the places, with the organisation that speaks for each."""
    return [
        {
            "msp": site.msp,
            "id": site.place,
            "party": site.party,
            "name": site.name,
            "kind": site.kind,
            "country": site.country,
            "latitude": site.latitude,
            "longitude": site.longitude,
        }
        for site in sites(shops)
    ]
