from equijax.weights.factors import Free
from equijax.weights.nest import Link, Nest, Place, Traced


def test_axes_of_loops_have_negative_numbers():
    array = Traced(((0,), Free(2)), scope=((7,), (8,)))
    assert [array.axis(number) for number in (-2, -1, 0, 1)] == [(8,), (7,), (0,), Free(2)]
    assert not array.is_data


def test_places_are_whole_axes_unless_they_say_otherwise():
    array = Traced(((0,),))
    assert Place(array, 0)[2:] == (0, 1)
    nest = Nest("move", (array,), None, (Link((0,), (Place(array, 0),)),), {})
    assert nest.links[0].places[0].array is array
