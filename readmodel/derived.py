"""The list of tables made from blocks."""

from __future__ import annotations

from sqlmodel import SQLModel

from readmodel import tables

DERIVED_TABLES: tuple[type[SQLModel], ...] = (
    tables.Block,
    tables.Transaction,
    tables.Event,
    tables.EventNote,
    tables.EventAlias,
    tables.EventEpc,
    tables.EventLink,
    tables.Thing,
    tables.PackedQuantity,
    tables.Packing,
    tables.Containment,
    tables.Transformation,
    tables.TransformationEdge,
    tables.Balance,
    tables.Handoff,
    tables.HandoffLine,
    tables.ExceptionCase,
    tables.ExceptionParty,
    tables.RecallMark,
    tables.Refusal,
    tables.RefusalConcern,
    tables.Quarantine,
    tables.MasterData,
    tables.Party,
    tables.Place,
    tables.Device,
    tables.DeviceChain,
    tables.Published,
    tables.Config,
    tables.DailyFlow,
)
