"""What came out, as a data frame and as files: a row a point, a column a figure of a fidelity."""

import pandas

from winnow._core import Error
from winnow.sweep.metrics import METRICS
from winnow.whole_file import whole


def frame_of(spec, points, answers, front, command):
    """points: [params]. answers: (stage, point) -> answer. front: numbers. command(stage, point): what repeats it.

    Columns: point, state, fidelity (the highest that answered), front, parameters, FIDELITY.METRIC, why, command."""
    rows = []
    for number, params in enumerate(points):
        row = {"point": number, "state": None, "fidelity": None, "front": number in front}
        row |= {one.name: params[one.name] for one in spec.parameters}
        for index, stage in enumerate(spec.stages):
            answer = answers.get((index, number))
            if answer is None:
                continue
            row |= {"state": answer["state"], "fidelity": stage.fidelity, "why": answer.get("why", "")}
            row["command"] = command(index, number)
            for key, value in answer.get("figures", {}).items():
                row[f"{stage.fidelity}.{key}"] = value
        rows.append(row)
    columns = ["point", "state", "fidelity", "front", *(one.name for one in spec.parameters)]
    wanted = dict.fromkeys((*spec.objectives, *spec.at_most))
    for stage in spec.stages:
        columns += [f"{stage.fidelity}.{key}" for key in wanted if stage.fidelity in METRICS[key].given_by]
    frame = pandas.DataFrame(rows, columns=[*columns, "why", "command"])
    for name in columns:
        if (unit := unit_of(name)) is not None:
            # Counts stay counts where a point has none.
            whole = unit in ("cycles", "bytes") and (frame[name].dropna() % 1 == 0).all()
            frame[name] = frame[name].astype("Int64" if whole else "float64")
    for name in ("why", "command"):
        frame[name] = frame[name].fillna("")
    return frame


def unit_of(column):
    """ "bytes" of "golden.bytes"; None of a column that is no figure."""
    fidelity, _, key = column.partition(".")
    return METRICS[key].unit if key in METRICS and fidelity in METRICS[key].given_by else None


def write(frame, folder):
    """points.csv, with units in the heads of columns; points.parquet, with units beside the columns. Each is whole at
    any time."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise Error("sweep: the package pyarrow is not installed: scripts/setup --python") from error
    heads = {name: f"{name} [{unit}]" for name in frame.columns if (unit := unit_of(name)) is not None}
    with whole(folder / "points.csv") as path:
        frame.rename(columns=heads).to_csv(path, index=False)
    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    fields = [
        one.with_metadata({"unit": unit}) if (unit := unit_of(one.name)) is not None else one for one in table.schema
    ]
    with whole(folder / "points.parquet") as path:
        parquet.write_table(table.cast(pyarrow.schema(fields)), path)
