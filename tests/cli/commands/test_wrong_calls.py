"""Wrong calls: each ends with one line that says what is wrong, and writes nothing.

The exit code is 2 for a call that is never right, and 1 for one that another file, model, or machine would make right.
"""

import os
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.support.image_files import encoded, write_folder
from tests.support.samples import comparison

# "café" in Latin-1, as Python passes on a file name that is not UTF-8.
LATIN = "caf\udce9"

NEVER_RIGHT = [
    # Programs, commands, and options.
    ("zoo trian", "No such command 'trian'. Did you mean 'train'"),
    ("zoo cache clean", "Did you mean 'clear'?"),
    ("zoo help trian", "No such command 'trian'"),
    ("zoo doctor now", "unexpected extra argument(s) (now)"),
    ("compare a", "Missing argument 'B'"),
    ("compare a b c", "unexpected extra argument(s) (c)"),
    ("compare a b --jsn x", "No such option: --jsn"),
    ("compare a b --json", "requires an argument"),
    # Values that an option never takes.
    ("zoo train --depth 15", "depth must be 6n+2"),
    ("zoo train --depth x", "'--depth': Input should be a valid integer"),
    ("zoo train --width nan", "width must be above 1/32"),
    ("zoo train --family resnet", "'resnet' is not one of 'cifar', 'imagenet'"),
    ("zoo train --subset 2", "above 0 and at most 1, such as 1/4, got '2'"),
    ("zoo train --subset 1/0", "got '1/0'"),
    ("zoo train --seed -1", "'--seed': Input should be greater than or equal to 0"),
    ("zoo train --seeds 5-1", "--seeds takes whole numbers and ranges from low to high"),
    ("zoo train --recipe fast", "--recipe must be one of"),
    ("zoo train --epochs 0", "--epochs must be"),
    ("zoo train --lr inf", "--lr must be a finite number"),
    ("zoo train --batch-size 0", "--batch-size must be"),
    ("zoo train --batch-size 9999999999999999", "expected at most 1,000,000,000,000,000, got 9,999,999,999,999,999"),
    ("compare a b --batch-size 9999999999999999", "'--batch-size': expected at most 1,000,000,000,000,000"),
    ("zoo train --epochs 1 --save-epochs 1", "takes epochs before the last one, 1, which is saved"),
    ("zoo train --precision fp16", "--precision must be"),
    ("zoo train --save-epochs x", "--save-epochs takes"),
    ("zoo train --device gpu", "expected a device such as auto, cpu, cuda, or cuda:1, got 'gpu'"),
    ("zoo train --dataset hf:a/b/c", "hf:OWNER/NAME[@REVISION], got 'a/b/c'"),
    ("zoo train --push me", "expected a repository as OWNER/NAME, got 'me'"),
    ("zoo train --push a/b/c", "'a/b/c': invalid name; expected OWNER/NAME"),
    ("zoo sweep --depths 14,x", "--depths takes whole numbers"),
    ("zoo sweep --jobs 0", "'--jobs': Input should be greater than or equal to 1"),
    ("zoo reproduce out --widths x", "--widths takes numbers"),
    ("zoo reproduce out --time-limit -1", "'--time-limit': Input should be greater than or equal to 0"),
    ("zoo variants --depth 15", "the nearest are 14 and 20"),
    ("zoo list --subset x", "such as 1/4, got 'x'"),
    ("zoo list --page 0", "'--page': Input should be greater than or equal to 1"),
    ("compare a b --split validation", "digits has the splits train, test and all, got 'validation'"),
    ("compare a b --max-examples 0", "'--max-examples': Input should be greater than or equal to 1"),
    ("compare a b --batch-size 3", "--batch-size must be at least 4, got 3"),
    ("compare a b --layers ','", "--layers takes all, blocks, or glob patterns"),
    ("compare a b --layers ''", "'--layers': expected a value, got an empty text"),
    ("compare a b --dataset ''", "'--dataset': expected a value, got an empty text"),
    ("compare a ''", "'B': expected a value, got an empty text"),
    ("compare a b --passes 0", "passes must be at least 1, got 0"),
    ("compare a b --precision fp8", "precision must be one of fp32, fp64, bf16, got 'fp8'"),
    ("compare a b --tolerance -1", "tolerance must be a positive standard error"),
    ("compare a b --measure cka", "measures must be among cosine, knn, rsa, procrustes (CKA always comes), got 'cka'"),
    ("compare a b --null 5", "at least 19 permutations, got 5"),
    ("compare a b --baseline maybe", "'maybe' is not one of 'none', 'untrained'"),
    ("compare a b --correction x", "'x' is not one of 'holm', 'bh'"),
    ("compare a b --require agreement", "--require takes names and numbers"),
    ("compare a b --require agrement>=0.9", "knows no number agrement; did you mean agreement?"),
    ("zoo inspect a --part everything", "'everything' is not one of 'structure'"),
    ("zoo inspect a --drop-dominant 2", "--drop-dominant takes a share"),
    ("zoo matrix a b --pair 1 3", "--pair must name two of the 2 models"),
    ("zoo prune a --remove stage1.1 --fine-tune -1", "'--fine-tune': Input should be greater than or equal to 0"),
    ("zoo push a me/x --revision 'a b'", "--revision takes letters, digits"),
    ("zoo collect me me/x", "expected a collection as OWNER/TITLE, got 'me'"),
    # Options that contradict each other.
    ("compare a b --dataset digits --label-column x", "expected a table for --image-column and --label-column"),
    ("zoo train --image-column x", "expected a table for --image-column and --label-column"),
    ("zoo train --quiet --verbose", "--quiet and --verbose exclude each other"),
    ("zoo train --arch resnet18 --depth 14", "--arch cannot be combined with --depth 14"),
    ("zoo train --seeds 0-1 --resume", "--seeds cannot be combined with --resume"),
    ("zoo train --private", "--private needs --push"),
    ("zoo sweep --jobs 2 --ray auto", "expected --jobs (on this machine) or --ray (on a cluster), got both"),
    ("zoo matrix a b --tolerance 0.1 --jobs 2", "--tolerance needs all models at once"),
    ("zoo matrix a a", "expected different models, got a twice"),
    ("zoo matrix a", "expected at least two models, got 1"),
    ("zoo groups --a a --b b", "expected at least two models after --a and after --b, got 1 and 1"),
    ("zoo site --out new a b --models models", "--models, or --hub, got several of them"),
    ("zoo prune a", "expected either --block-structure or --remove BLOCKS, got neither"),
    ("zoo list me", "expected --hub before an owner, got me alone"),
    ("zoo show a --png x.png", "need the JSON of a result"),
    ("compare a b --export x --json x", "--json and --export must be two files"),
    # Names of files of another kind, and names that are not UTF-8.
    ("compare a b --png x.jpg", "--png: expected a name that ends in .png, got x.jpg"),
    ("compare a b --svg x.png", "--svg: expected a name that ends in .svg, got x.png"),
    ("compare a b --export x.json", "--export: expected a name that ends in .csv, got x.json"),
    ("zoo groups --a a b --b c d --export x.png", "--export: expected a name that ends in .csv, got x.png"),
    ("compare a b --json x.html", "--json: expected a name that ends in .json, got x.html"),
    ("compare a b --html -", "--html: expected a file, got -; only --json writes to stdout"),
    (f"compare a no{LATIN}", "expected UTF-8, got 'nocaf?'"),
    (f"zoo push a me/{LATIN}", "invalid name; expected OWNER/NAME"),
    # Control codes and long values in messages about wrong usage.
    ("zoo tr\x1b[31m\u202ein", "No such command 'tr"),
    ("zoo --\x1b[31m\u202e", "No such option: --"),
    ("compare a b --js\x9b\u2066n", "No such option: --js"),
    ("zoo train --family \x1b\u200f", "is not one of 'cifar', 'imagenet'"),
    (f"zoo train --family {5000 * 'x'}", "is not one of 'cifar', 'imagenet'"),
    (f"zoo {5000 * 'x'}", "No such command 'xxx"),
]

NOT_HERE = [
    # Models.
    ("compare a nowhere", "expected a model folder or a Hub id OWNER/NAME[@REVISION], got 'nowhere'"),
    ("compare a models/b", "expected a model folder, but there is no models/b"),
    ("compare a b@epoch3", "expected a snapshot of epoch 3 in b, got none"),
    ("compare a notes.txt", "expected a model folder or a Hub id OWNER/NAME[@REVISION], got 'notes.txt'"),
    ("compare a mine", "expected a model folder, but mine has no config.json"),
    ("compare a broken", "broken/config.json: expected the architecture"),
    ("compare a damaged", "damaged/model.safetensors is damaged"),
    ("compare a unweighted", "expected weights in unweighted/model.safetensors, but there is no such file"),
    ("zoo inspect unweighted", "expected weights in unweighted/model.safetensors, but there is no such file"),
    ("zoo matrix a unweighted", "expected weights in unweighted/model.safetensors, but there is no such file"),
    ("zoo groups --a a a2 --b b unweighted", "expected weights in unweighted/model.safetensors, but there is no such"),
    ("zoo site --out new a unweighted", "expected weights in unweighted/model.safetensors, but there is no such file"),
    ("compare a pickled", "expected weights in pickled/model.safetensors, got only pytorch_model.bin"),
    (f"compare a {LATIN}", "expected a model folder, but caf? has no config.json"),
    (f"zoo inspect {LATIN}", "expected a model folder, but caf? has no config.json"),
    (f"compare a b --dataset {LATIN}", "expected images in caf\ufffd as CLASS/IMAGE"),
    (f"zoo train --dataset no{LATIN}", "there is no such folder"),
    ("compare a pointer", "pointer/model.safetensors is only a pointer of git-lfs"),
    ("zoo inspect piped", "piped/config.json is a pipe"),
    ("compare a me/nothing@v1", "me/nothing@v1: not on http"),
    ("zoo inspect damaged", "damaged/model.safetensors is damaged"),
    ("zoo prune a --remove stage9.1", "expected blocks of resnet8-w0.5"),
    ("zoo card mine", "expected a model folder of `zoo train` with training.json, got mine"),
    ("zoo push nowhere me/x", "expected a model folder, but there is no nowhere"),
    ("zoo push mine me/x", "expected a model folder, but mine has no config.json"),
    ("zoo pull a", "got the folder a, which is here already"),
    ("zoo train --arch no_such_net", "expected an architecture of timm"),
    # Images and layers.
    ("zoo train --dataset mnist", "no such folder; did you mean mnist5k, mnist5k:8 or mnist5k:14?"),
    ("zoo train --dataset digts", "got 'digts', and there is no such folder; did you mean digits?"),
    ("zoo train --dataset mine", "expected images in mine as CLASS/IMAGE"),
    ("zoo train --dataset notes.txt", "got 'notes.txt', and there is no such folder"),
    (
        "zoo train --dataset few --depth 8 --epochs 1",
        "expected at least 4 test images, for the model card, got 3 of few",
    ),
    ("zoo train --dataset few --depth 8 --epochs 1 --seeds 0-1", "at least 4 test images, for the model card, got 3"),
    ("zoo train --dataset hf:me/nothing", "dataset me/nothing: not on http"),
    ("zoo train --subset 1/1000", "expected from 10 (one image per class) to 1437 images of digits train, got 1"),
    ("zoo train --device meta", "expected a device of this machine"),
    ("compare a b --max-examples 2", "expected from 10 (one image per class) to 360 images"),
    ("compare a b --dataset pictures --split all", "expected models for images of 3 channels"),
    ("compare a b --null 1000000000", "GB of free memory for 1,000,000,000 permutations of 30 x 51 layers, got"),
    ("compare a b --layers nothing.*", "no layer of CifarResNet matches 'nothing.*'"),
    ("compare a b --device cuda:99", "expected a device of this machine"),
    ("zoo groups --a a b --b a2 b2 --superclasses no.csv", "no.csv"),
    ("zoo groups --a a b --b a2 b2 --superclasses pipe", "expected a file, but pipe is a pipe"),
    ("compare a b --dataset pipe", "got 'pipe', and there is no such folder"),
    # Reports.
    ("zoo show notes.txt", "got notes.txt, which is none"),
    ("zoo show missing.json", "expected the JSON of a result, but there is no file missing.json"),
    ("zoo show picture.png", "got picture.png, which is none"),
    ("zoo show pipe", "expected a model folder or a Hub id OWNER/NAME[@REVISION], got 'pipe'"),
    ("zoo show nested.json", "got nested.json, which is none"),
    ("zoo push-report pipe me/x", "expected a file, but pipe is a pipe"),
    ("zoo show mine", "expected a model folder, but mine has no config.json"),
    ("zoo show future.json", "expected a result of format version 2 or 1, got 9"),
    ("zoo push-report nowhere.json me/x", "there is no file nowhere.json"),
    ("zoo push-report mine me/x", "expected a file, but mine is a folder"),
    # Places to write to: files of another kind, folders, and places where nothing can be written.
    ("compare a b --json notes.txt", "notes.txt exists and is not an earlier result of this kind"),
    ("compare a b --export notes.txt", "notes.txt exists and is not an earlier result of this kind"),
    ("compare a b --html notes.txt", "notes.txt exists and is not an earlier result of this kind"),
    ("zoo show result.json --html notes.txt", "notes.txt exists and is not an earlier result of this kind"),
    ("zoo matrix a b --json notes.txt", "notes.txt exists and is not an earlier result of this kind"),
    ("zoo sweep --depths 14 --json notes.txt", "notes.txt exists and is not an earlier result of this kind"),
    ("compare a b --json mine", "expected a file, but mine is a folder"),
    ("compare a b --export no/x.csv", "there is no folder no; create it first"),
    ("compare a b --export notes.txt/x.csv", "there is no folder notes.txt"),
    ("compare a b --json /proc/x.json", "cannot write /proc/x.json"),
    ("zoo show result.json --html /proc/x.html", "cannot write /proc/x.html"),
    ("zoo train --out notes.txt", "but notes.txt exists; choose another --out."),
    ("zoo train --out notes.txt/x", "cannot write notes.txt/x"),
    ("zoo train --out mine --force", "--force replaces only model folders, and mine is not one"),
    ("zoo train --out a", "a exists; choose another --out, or replace it with --force"),
    ("zoo train --out /proc/x", "cannot write /proc/x"),
    ("zoo train --tensorboard notes.txt --epochs 1", "cannot write notes.txt"),
    ("zoo sweep --depths 14 --out notes.txt", "cannot write notes.txt"),
    ("zoo reproduce notes.txt", "cannot write notes.txt"),
    ("zoo list --out nowhere", "there is no folder nowhere"),
    ("zoo prune b --remove stage2.1 --out notes.txt", "but notes.txt exists; choose another --out."),
    ("zoo site --out mine a b", "expected a new folder or a site of `zoo site`, got mine"),
    ("zoo site --out new --models nowhere", "but there is no folder nowhere; correct --models"),
    ("zoo site --out /proc/x a b", "cannot write /proc/x"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory, folders):
    """A folder with models `a` and `b`, broken ones, and files of several kinds."""
    place = tmp_path_factory.mktemp("place")
    for name, folder in zip(("a", "b", "a2", "b2"), 2 * folders, strict=True):
        shutil.copytree(folder, place / name)
    for name in ("broken", "damaged", "unweighted", "pickled", "pointer", "piped"):
        shutil.copytree(folders[0], place / name)
    (place / "broken/config.json").write_text("{}")
    (place / "damaged/model.safetensors").write_text("no weights")
    for name in ("unweighted", "pickled"):
        (place / name / "model.safetensors").unlink()
    (place / "pickled/pytorch_model.bin").write_bytes(b"pickle")
    (place / "pointer/model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    (place / "piped/config.json").unlink()
    for name in ("pipe", "piped/config.json"):
        os.mkfifo(place / name)
    (place / "nested.json").write_text(100_000 * '{"a":')
    for name in ("mine", "models", LATIN):
        (place / name).mkdir()
    (place / "mine/notes.txt").write_text("mine")
    (place / "notes.txt").write_text("mine")
    (place / "picture.png").write_bytes(encoded(Image.new("L", (4, 4)), "JPEG"))
    write_folder(place / "pictures", per_class=1)
    write_folder(place / "few/train", per_class=2)
    write_folder(place / "few/test", per_class=1)
    text = comparison().to_json()
    (place / "result.json").write_text(text)
    (place / "future.json").write_text(text.replace('"format_version":2', '"format_version":9'))
    return place


def content(place):
    """Every file with the time of its last change, and every folder."""
    return {path: path.is_file() and path.stat().st_mtime_ns for path in place.rglob("*")}


@pytest.mark.parametrize(
    ("call", "code", "part"),
    [*((call, 2, part) for call, part in NEVER_RIGHT), *((call, 1, part) for call, part in NOT_HERE)],
)
def test_a_wrong_call_ends_with_one_line_and_writes_nothing(run, hub, place, monkeypatch, call, code, part):
    monkeypatch.chdir(place)
    before = content(place)
    ran = run(*shlex.split(call))
    assert (ran.code, ran.stdout) == (code, ""), ran.stderr
    *usage, line = ran.stderr.splitlines()
    assert line.startswith("Error: ") and part in line
    assert not usage or (code == 2 and usage[0].startswith("Usage: "))
    assert line.isprintable() and len(line) <= 500
    assert "Value error," not in line and str(Path(__file__).parents[3]) not in line
    assert content(place) == before


def test_there_are_enough_wrong_calls():
    assert len({call for call, _ in (*NEVER_RIGHT, *NOT_HERE)}) == len(NEVER_RIGHT) + len(NOT_HERE) > 50
