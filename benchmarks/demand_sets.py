"""Made-up demand of the kinds that supply chains have, as long tables: ``unique_id, ds, y`` and regressors.

They are for tests and for speed; no accuracy on them is claimed for real data. Each is seeded and has a truth that is not
told to the models: trends, seasons by product group, promotions, prices, holidays, closures, intermittent counts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def consumer_goods(places: int = 20, products: int = 10, months: int = 60, seed: int = 1) -> pd.DataFrame:
    """Monthly volumes by agency and product with prices, promotions and festive months."""
    generator = np.random.default_rng(seed)
    dates = pd.date_range("2013-01-01", periods=months, freq="MS")
    waves = generator.normal(0, 0.25, (products, 12))
    local = generator.normal(0, 0.1, (places, 12))
    parts = []
    for place in range(places):
        for product in range(products):
            level = np.exp(generator.normal(6, 1.2))
            noise = generator.uniform(0.08, 0.35)
            trend = np.cumsum(generator.normal(0, 0.05, months))
            promotion = (generator.random(months) < 0.2) * generator.uniform(0.05, 0.3, months)
            price = 100 * np.exp(np.cumsum(generator.normal(0.003, 0.01, months)))
            month = dates.month.to_numpy() - 1
            log = np.log(level) + waves[product, month] + local[place, month] + trend + 1.2 * promotion
            y = np.exp(log + generator.normal(0, noise, months))
            parts.append(
                pd.DataFrame({
                    "unique_id": f"Agency_{place:02d}|SKU_{product:02d}", "ds": dates, "y": y.round(2),
                    "price": (price * (1 - promotion)).round(2), "discount": promotion.round(3),
                })
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def shop_sales(shops: int = 40, days: int = 900, seed: int = 2) -> pd.DataFrame:
    """Daily takings of shops, closed on Sundays and holidays, with promotions in every other week."""
    import holidays

    generator = np.random.default_rng(seed)
    dates = pd.date_range("2013-01-01", periods=days, freq="D")
    off = np.array([day in holidays.country_holidays("DE", years=(2013, 2014, 2015)) for day in dates.date])
    weekday, parts = dates.dayofweek.to_numpy(), []
    promotion = ((np.arange(days) // 14) % 2 == 0) & (weekday < 5)
    school = (dates.month.isin((7, 8))) | ((dates.month == 12) & (dates.day > 20))
    for shop in range(shops):
        week = np.array([0.25, 0.05, 0.0, 0.0, 0.05, 0.1, 0.0]) + generator.normal(0, 0.05, 7)
        lift = generator.normal(0.32, 0.06) - 0.03 * weekday
        year = 0.08 * np.sin(2 * np.pi * (dates.dayofyear.to_numpy() - 80) / 365.25) + 0.25 * (dates.month == 12)
        drift = np.cumsum(generator.normal(0, 0.004, days))
        log = np.log(generator.uniform(3000, 12000)) + week[weekday] + lift * promotion + year + drift + 0.04 * school
        opened = ~((weekday == 6) | off)
        log = log + 0.12 * np.roll(~opened & (weekday != 6), -1) + 0.05 * np.roll(~opened, 1)
        y = np.where(opened, np.exp(log + generator.normal(0, 0.08, days)), 0.0)
        parts.append(
            pd.DataFrame({
                "unique_id": f"shop{shop:04d}", "ds": dates, "y": y.round(0), "open": opened.astype(int),
                "promo": promotion.astype(int), "school_holiday": school.astype(int), "state_holiday": off.astype(int),
            })
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def spare_parts(parts: int = 400, months: int = 51, seed: int = 3) -> pd.DataFrame:
    """Monthly demand of parts: mostly none, then a few; many are dying out."""
    generator = np.random.default_rng(seed)
    dates = pd.date_range("2010-01-01", periods=months, freq="MS")
    found = []
    for part in range(parts):
        decline = np.exp(-generator.exponential(0.02) * np.arange(months))
        rate = np.clip(generator.beta(1.5, 4), 0.03, 0.9) * decline
        size = 1 + generator.poisson(generator.gamma(1.2, 0.8), months)
        y = (generator.random(months) < rate) * size
        found.append(pd.DataFrame({"unique_id": f"part{part:05d}", "ds": dates, "y": y.astype(float)}))
    return pd.concat(found, ignore_index=True)


def departments(stores: int = 15, kinds: int = 10, weeks: int = 143, seed: int = 4) -> pd.DataFrame:
    """Weekly sales by store and department with a holiday flag and markdowns."""
    generator = np.random.default_rng(seed)
    dates = pd.date_range("2010-02-05", periods=weeks, freq="W-FRI")
    week = dates.isocalendar().week.to_numpy(dtype=int)
    waves = np.cumsum(generator.normal(0, 0.06, (kinds, 54)), axis=1)
    waves -= waves.mean(axis=1, keepdims=True)
    festive = np.isin(week, (6, 36, 47, 52)).astype(int)
    found = []
    for store in range(stores):
        for kind in range(kinds):
            peak = 0.5 * np.isin(week, (47, 51)) * (kind % 3 == 0)
            markdown = (generator.random(weeks) < 0.15) * generator.uniform(0, 1, weeks)
            log = generator.normal(9, 1) + waves[kind, week - 1] + peak + 0.15 * markdown
            y = np.exp(log + np.cumsum(generator.normal(0, 0.01, weeks)) + generator.normal(0, 0.08, weeks))
            found.append(
                pd.DataFrame({
                    "unique_id": f"{store + 1}_{kind + 1}", "ds": dates, "y": y.round(2), "is_holiday": festive,
                    "markdown": markdown.round(3),
                })
            )  # fmt: skip
    return pd.concat(found, ignore_index=True)
