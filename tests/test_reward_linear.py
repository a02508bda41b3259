"""Ridge fits that leave folds out, against fitting the remaining rows directly."""

import numpy as np

from reward.linear import PENALTIES, FoldRidge, Normaliser


def planted(rows: int = 60, dim: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(3, 2, (rows, dim))
    y = x @ random.normal(size=dim) / 5 + random.normal(0, 0.1, rows)
    return x, y - y.mean(), np.arange(rows) // 5


def test_a_fit_that_leaves_a_fold_out_never_sees_it() -> None:
    x, y, prompt = planted()
    fold = prompt % 4
    before = FoldRidge(x, y, prompt, fold, {}).fit(frozenset({2}))
    spoiled, wild = y.copy(), x.copy()
    spoiled[fold == 2], wild[fold == 2] = 1000, -500
    after = FoldRidge(wild, spoiled, prompt, fold, {}).fit(frozenset({2}))
    assert np.array_equal(before.coefficients, after.coefficients)
    assert before.intercept == after.intercept


def test_fits_of_several_targets_and_folds_together_are_those_of_each_alone() -> None:
    x, y, prompt = planted()
    both, fold = np.column_stack([y, np.random.default_rng(1).normal(size=len(y))]), prompt % 4
    wanted = [(frozenset({1}), 0), (frozenset({2}), 1), (frozenset({1, 2}), 1), (frozenset[int](), 0)]
    for (left_out, target), found in zip(wanted, FoldRidge(x, both, prompt, fold, {}).fit_all(wanted), strict=True):
        alone = FoldRidge(x, both[:, target], prompt, fold, {}).fit(left_out)
        assert np.allclose(found.coefficients, alone.coefficients)
        assert (found.penalty, round(found.intercept, 9)) == (alone.penalty, round(alone.intercept, 9))


def test_it_is_ridge_regression() -> None:
    x, y, prompt = planted()
    found = FoldRidge(x, y, prompt, prompt % 4, {}).fit(frozenset())
    normal = Normaliser.of(x)(x)
    centred = normal - normal.mean(axis=0)
    gram = centred.T @ centred + len(x) * found.penalty * np.eye(8)
    assert np.allclose(found.coefficients, np.linalg.solve(gram, centred.T @ (y - y.mean())))
    assert np.corrcoef(normal @ found.coefficients + found.intercept, y)[0, 1] > 0.95
    assert found.penalty in PENALTIES


def test_noise_gets_a_large_penalty_and_signal_a_small_one() -> None:
    x, y, prompt = planted()
    noise = np.random.default_rng(1).normal(size=len(y))
    fold = prompt % 4
    assert (
        FoldRidge(x, noise, prompt, fold, {}).fit(frozenset()).penalty
        > FoldRidge(x, y, prompt, fold, {}).fit(frozenset()).penalty
    )


def test_more_folds_than_it_leaves_out_in_turn_choose_as_well() -> None:
    x, y, prompt = planted(rows=120)
    each = FoldRidge(x, y, prompt, prompt, {}).fit(frozenset({0, 1}))  # 22 folds, two or three left out at a time
    few = FoldRidge(x, y, prompt, prompt % 10, {}).fit(frozenset())
    assert each.penalty <= 10 * few.penalty
    assert np.corrcoef(each.coefficients, few.coefficients)[0, 1] > 0.99


def test_a_constant_input_is_left_at_zero() -> None:
    x = np.column_stack([np.full(10, 7.0), np.arange(10.0)])
    normal = Normaliser.of(x)(x)
    assert (normal[:, 0] == 0).all()
    assert abs(normal[:, 1].std() - 1) < 1e-12


def test_many_rows_give_the_same_fit_as_their_decomposition() -> None:
    x, y, prompt = planted(rows=120)
    wide = np.column_stack([x, np.random.default_rng(2).normal(size=(120, 60))])  # 68 inputs: too few rows to be tall
    for inputs in (x, wide):
        found = FoldRidge(inputs, y, prompt, prompt % 4, {}).fit(frozenset({1}))
        seen = prompt % 4 != 1
        normal = Normaliser.of(inputs[seen])(inputs[seen])
        centred = normal - normal.mean(axis=0)
        gram = centred.T @ centred + len(centred) * found.penalty * np.eye(inputs.shape[1])
        expected = np.linalg.solve(gram, centred.T @ (y[seen] - y[seen].mean()))
        assert np.allclose(found.coefficients, expected, atol=1e-10)
