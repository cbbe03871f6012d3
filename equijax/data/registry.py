"""What the library knows of each data set: its files with their addresses and hashes, source and licence.

A file is known by its SHA-256, wherever it is found. Adding a data set takes an entry here and a parser
in :mod:`equijax.data.catalog`.
"""

from collections.abc import Mapping
from typing import NamedTuple


class File(NamedTuple):
    """One file of a data set.

    Attributes:
      path: where it lies below ``$EQUIJAX_DATA`` and below the user cache; a file that comes with the
        package lies in ``equijax/data/embedded``.
      sha256: its hash in hexadecimal.
      url: its public address, or None where it comes with the package.
      converted: whether it was made from the original, so that no public address has these bytes; it is
        found on this computer or not at all, and ``url`` is None.
    """

    path: str
    sha256: str
    url: str | None
    converted: bool = False


class Entry(NamedTuple):
    """One data set.

    Attributes:
      summary: what it holds, in a sentence.
      origin: where the original lives.
      licence: the terms of the original.
      citation: the paper to cite.
      files: its files by the name of the part they hold.
    """

    summary: str
    origin: str
    licence: str
    citation: str
    files: Mapping[str, File]


_BOTNET = (
    "https://raw.githubusercontent.com/davkovacs/BOTNet-datasets/29e6d467317e4b5967b7ea5cbee54de953fa0d45"
)
_BATATIA = (
    "Batatia et al., The Design Space of E(3)-Equivariant Atom-Centered Interatomic Potentials, "
    "arXiv 2205.06643"
)


_MNIST = (
    "https://raw.githubusercontent.com/lijie2020/vae/6aa58aba724f46dba967fc7058945941d171d433/data/MNIST/"
    "MNIST/raw"
)
_USPS = "https://raw.githubusercontent.com/phase/cs570/9d992c4c1abf812d7223f56047a25d0c53cc7299/data"


def _botnet(folder: str, name: str, remote_folder: str, sha256: str) -> File:
    """A file of the repository BOTNet-datasets at a fixed commit."""
    return File(f"{folder}/{name}", sha256, f"{_BOTNET}/{remote_folder}/{name}")


def _acac(name: str, sha256: str) -> File:
    """A file of the acetylacetone set."""
    return _botnet("acac", name, "dataset_acac", sha256)


def _3bpa(name: str, sha256: str) -> File:
    """A file of the 3BPA set."""
    return _botnet("3bpa", name, "dataset_3BPA", sha256)


ENTRIES: dict[str, Entry] = {
    "acac": Entry(
        summary="Acetylacetone (15 atoms), PBE-D3/def2-SVP: molecular dynamics at 300 K and 600 K (500 "
        "training and 650 test frames each), a proton-transfer path and a dihedral scan.",
        origin="https://github.com/davkovacs/BOTNet-datasets (dataset_acac)",
        licence="MIT",
        citation=_BATATIA,
        files={
            "train_300K": _acac(
                "train_300K.xyz", "8f5706d6902360555a5be59395612d2afc3489a75688388a58e7275fdad68af3"
            ),
            "train_600K": _acac(
                "train_600K.xyz", "180c2538508f7810a623c279426f44953ee7cfb2af77e48ea3986ff97645a71c"
            ),
            "test_300K": _acac(
                "test_MD_300K.xyz", "2291f3186a3cc6a5e05e92952c84a9237ca53f862d78fd3316a769360719ec43"
            ),
            "test_600K": _acac(
                "test_MD_600K.xyz", "d5a5bba154ec43f915eb7529f86ec3af60e6f911743859daba030181a0378ff7"
            ),
            "h_transfer": _acac(
                "test_H_transfer.xyz", "ea4d76c79cf4cfccd2f93eaf755172b0b648886c4907eb0f82dff07a77530743"
            ),
            "dihedral": _acac(
                "test_dihedral.xyz", "0c2246a593579de5a4450698d5f4ba5802b095824b7f211aa5889339967c6809"
            ),
            "isolated_energies": _acac(
                "isolated_atoms.xyz", "b74f321b453374621b447d65c60979f70df1b7182c8ee0215388b2c574f33823"
            ),
        },
    ),
    "3bpa": Entry(
        summary="3-(benzyloxy)pyridin-2-amine (27 atoms), wB97X/6-31G(d): 500 frames at 300 K and 500 at "
        "300, 600 and 1200 K.",
        origin="https://github.com/davkovacs/BOTNet-datasets (dataset_3BPA)",
        licence="MIT",
        citation="Kovacs et al., Linear Atomic Cluster Expansion Force Fields for Organic Molecules, JCTC "
        "2021; " + _BATATIA,
        files={
            "train_300K": _3bpa(
                "train_300K.xyz", "d109971fab90e2231ad931a83eb704c8d940f5c7d7a8de27fe3b84ea18634c0a"
            ),
            "train_mixedT": _3bpa(
                "train_mixedT.xyz", "bc108532964b2ed259eaaabf82e5dfaffa5bda9ac384fc2afabcce192a49250b"
            ),
            "isolated_energies": _3bpa(
                "iso_atoms.xyz", "e12a2465a2612bf38fd5dabdf64d4b57fc58ce9610a858c54ea1142d517c053f"
            ),
        },
    ),
    "acetylacetone_gfn2": Entry(
        summary="Acetylacetone (15 atoms), GFN2-xTB: 500 training and 100 validation frames of molecular "
        "dynamics at 300 K, 300 test frames at 300 K and 300 at 600 K.",
        origin="the package itself; made by experiments/tasks/acetylacetone_gfn2.py",
        licence="Apache-2.0",
        citation="Bannwarth, Ehlert, Grimme, GFN2-xTB, JCTC 2019, 15, 1652 (the method)",
        files={
            "all": File(
                "acetylacetone_gfn2.npz",
                "50485f9b0ba55464547d354f0805685396a931c24cade8f54343fb56f626b6a9",
                None,
            ),
        },
    ),
    "graph8c": Entry(
        summary="All 11,117 connected graphs on eight nodes, up to isomorphism.",
        origin="https://users.cecs.anu.edu.au/~bdm/data/graphs.html (graph8c.g6, compressed by gzip here)",
        licence="none stated; an enumeration",
        citation="McKay, Practical graph isomorphism, 1981; as a test: Balcilar et al., ICML 2021",
        files={
            "adjacency": File(
                "graph8c/graph8c.g6.gz",
                "ed645420707166df4117151a9e4158587b8e56478433a1c913f0c3da9848fc92",
                None,
                converted=True,
            ),
        },
    ),
    "exp": Entry(
        summary="EXP: 600 pairs of graphs with 32 to 64 nodes of two types, alike to the Weisfeiler-Leman "
        "test and of different labels.",
        origin="https://github.com/omri1348/Frame-Averaging (graph_separation/dataset/EXP/raw/GRAPHSAT.pkl "
        "at commit 9de18e10a6b01f0fc94b11b89db09518ab96d900, converted to arrays)",
        licence="none stated",
        citation="Abboud et al., The Surprising Power of Graph Neural Networks with Random Node "
        "Initialization, IJCAI 2021",
        files={
            "all": File(
                "exp/exp.npz",
                "d84ac9ed3e4c71cf17fb3a6684d6e5d1569f7c96308fbcd301085504b3424de3",
                None,
                converted=True,
            ),
        },
    ),
    "mnist_t10k": Entry(
        summary="The 10,000 handwritten digits of the MNIST test set, 28 x 28 pixels.",
        origin="https://yann.lecun.com/exdb/mnist (t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz)",
        licence="CC BY-SA 3.0, as it is commonly distributed",
        citation="LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition, "
        "Proc. IEEE 1998",
        files={
            "images": File(
                "mnist_t10k/t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                f"{_MNIST}/t10k-images-idx3-ubyte.gz",
            ),
            "labels": File(
                "mnist_t10k/t10k-labels-idx1-ubyte.gz",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                f"{_MNIST}/t10k-labels-idx1-ubyte.gz",
            ),
        },
    ),
    "usps": Entry(
        summary="The 2,007 handwritten digits of the USPS test set, 16 x 16 pixels.",
        origin="https://hastie.su.domains/ElemStatLearn (zip.test.gz)",
        licence="none stated; distributed freely for research",
        citation="Hull, A Database for Handwritten Text Recognition Research, IEEE TPAMI 1994",
        files={
            "test": File(
                "usps/zip.test.gz",
                "157928669fe902de2c31ac9e0000e13fc6dc67c6fc84c62c5af2500b4e0ebe25",
                f"{_USPS}/zip.test.gz",
            ),
        },
    ),
}
