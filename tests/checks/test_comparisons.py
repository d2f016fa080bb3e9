"""Comparisons about a run belong in claims and point their way; theory is left alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.kit.operators import evaluate_claim
from experiments.kit.record import EDITIONS, Claim, Fact, claim, fact, parameter
from pipeline.checks import comparisons
from pipeline.checks.about_run import METHODS, PLACES, Vocabulary, is_past, vocabulary
from pipeline.checks.directions import against_direction
from pipeline.checks.subject import make_subject
from pipeline.drafts import Draft, load_draft
from pipeline.evidence import Evidence, gather_all
from pipeline.finding import Finding
from pipeline.project import Project, find_project
from tests.toy_project import the_post

ROOT = Path(__file__).resolve().parents[2]
Check = Callable[[str], list[Finding]]

# Used while the rules were written.
TUNED_RESULTS = """
Policy iteration was faster than value iteration on every maze.
The agent needed fewer sweeps with the larger discount.
SARSA crept along the safer path.
The critic never caught up with the actor.
Clearly, the second method outperforms the first on FrozenLake.
In our runs the greedy policy settled sooner than the values.
The deeper network was worse on all seeds.
Value iteration needs fewer rounds here than policy iteration.
The success rate was higher on the larger lake.
We found that solving exactly took longer than sweeping.
The learner improved steadily.
On the cliff, modified policy iteration is slower than value iteration.
The figure shows that the careful walker earns more.
As I expected, the random policy did worst.
The loss fell below that of the baseline.
Training was about as fast as before.
The exact solver was twice as fast on the maze.
Our implementation beats the library on small tables.
The return dropped after the change.
Q-learning exceeded the score of SARSA by the end.
Of all methods tested, policy iteration was the slowest.
The policy with a baseline had less variance.
The best result came from the shortest rollouts.
The robot was quicker with the fine than with the bonus.
In {fig}`grid_cliff` the upper path is shorter.
Value iteration makes {val}`grid.maze.vi_sweeps` sweeps, far more than policy iteration.
The tuned model was significantly better.
The method consistently reached the optimum.
I measured a lower error with double precision.
PPO lagged behind in the first half.
The language model gave better answers after tuning.
More seeds made the curve smoother in our plot.
The sparse version ran quicker on my machine.
The mazes with walls took longer.
The gap between the two curves narrowed.
These runs are noisier than I would like.
The clipped version was more stable than the plain one.
The learner with traces reached the goal earlier.
It was slower than expected.
The reward rose higher with shaping.
DQN did no better than random on this game.
The patient planner won more games than the hasty one.
""".strip().split("\n")

TUNED_HONEST = """
As the discount approaches one, the fixed point gets harder to reach.
The factor grows without limit.
A small change is not a small error, and the larger the factor, the larger the gap.
Its sharpest form startled me.
I find {fig}`vipi_discount` the quickest way to see why.
Under that limit the best possible success is {val}`grid.frozenlake4.success_limit`.
When someone shows you a chart in which their method wins, look at the axis first.
The shortest path runs right along the edge.
A comparison is only as good as its rules.
From the same values, a round of policy iteration is never behind a sweep of value iteration.
FrozenLake, a walk over ice with holes, comes in a small and a larger map.
I expected policy iteration to be faster.
A detail that pleased me: trying again is worth exactly as much as staying.
If it was faster, it would also be simpler.
Value iteration pays in sweeps, each as cheap as the model is sparse.
The optimist is worth more than the pessimist believes.
Any quicker route could be spliced in and would improve the whole.
Backups are the fairest machine-independent unit I know.
A longer path may be safer than a shorter one.
Policy iteration costs more per round than value iteration costs per sweep.
The largest mazes were drawn only a few times, so what holds for them is shown with less certainty.
Bellman made the circle useful.
A higher reward attracts more visits.
Long before computers were fast enough, people solved such problems by hand.
I used to think that values were easier than policies.
More exploration means slower learning at first.
Better safe than sorry.
Imagine a shop whose new till was faster than the old one.
The improvement step looks too greedy to be safe.
A lower learning rate is the usual remedy.
In a finite problem the loss is exactly zero as soon as the error is small.
Q-learning can overestimate, and more so with many actions.
Always report the seeds.
A deadline can only lower the value.
What the theorem does not say is what a round costs.
The error shrinks by at least the discount in every sweep.
The new policy is at least as good as the old one in every state.
Gradient clipping makes training more stable when rewards are large.
""".strip().split("\n")

# Written in four rounds before the rules had seen them; at first sight 108 of 127 were caught and 6 of 127 flagged,
# then what they taught about tense and stories went into the rules.
UNSEEN_RESULTS = """
Value iteration was slower than policy iteration on the courier mazes.
On the windy grid the learner found the goal sooner.
Our critic lagged behind the actor for most of training.
The averaged agent beat the single one in each of the mazes we drew.
With dropout the network did worse on the held-out set.
PPO reached a higher return than A2C on CartPole.
The larger batch led to a smoother loss curve in these runs.
Double Q-learning overestimated less than plain Q-learning did.
In the figure, the dashed line stays below the solid one.
Policy iteration wins on the cliff, and by a wide margin.
We saw fewer collisions once the reward was shaped.
SARSA took the safer route and scored higher while learning.
The reward model agreed with people more often after the second round.
Every seed improved after the warm-up.
Modified policy iteration was the fastest of all methods we timed.
The model with more layers performed as well as the one with fewer heads.
Learning was quicker with the larger step size.
The longer context made the answers worse.
The curve for the small network drops below the baseline early on.
It took the robot fewer tries to leave the maze than I had guessed.
The planner that looked far ahead needed more rounds.
In our test the quick method lost to the careful one.
The machine with the patient setting earned more in the end.
The simple method turned out to be the cheaper one.
Temperature made the samples more diverse, but the accuracy fell.
The fine-tuned model outperforms its base on the held-out prompts.
DPO matched PPO at a lower cost.
Their returns were about as good as those of the exact solver.
The gap between the two methods widened as the mazes grew.
REINFORCE with a baseline had a lower variance than without.
On my laptop the sparse solve ran faster than the dense one.
Longer rollouts improved the estimates.
Exploration paid off: the curious agent got farther than the greedy one.
The eligibility traces sped up learning considerably.
The quantised model was nearly as accurate as the original.
Perplexity fell faster with the cosine schedule.
The agent fell off the cliff less often than I expected.
Prioritised replay won on every game we tried.
Without the target network the loss was much noisier.
Among the optimisers, Adam converged first and ended lowest.
The results show that a warm start saves sweeps, more so at high discounts.
Rejection sampling produced better answers than the policy itself.
The attention heads in later layers were sharper.
Nothing we tried beat the tabular solution.
Random search was as good as our tuned schedule.
The value network trailed the policy throughout.
The trained agent needs fewer steps than the random walker in the maze.
The measured error is smaller than the bound in all runs.
The updates were significantly faster on the sparse table.
The new rule consistently reached the goal.
Sampling with a higher temperature gave worse code.
The best score came from the shallow network.
The worst seed was still above the baseline.
Here value iteration is slower than policy iteration by far.
Rounds dropped sharply once we solved exactly.
The cheaper method caught up with the expensive one after a while.
Human raters preferred the shorter summaries more often.
The slow start cost the careful learner the lead, yet it finished ahead.
With more demonstrations the clone made fewer mistakes.
Our reward-hacked policy scored better and behaved worse.
The tests came out better for the patient planner.
Larger mazes took the program longer.
Sweeping cost us more than solving did.
The patient shopper in our simulation came home with more.
Give the machine a bonus and it dawdled longer, as the tests make plain.
Half precision was no worse.
The second model hallucinated less.
With curriculum, mastery came earlier.
Nobody expected it, but the dumb baseline came out on top and stayed ahead.
On the larger lake the fixed plan is clearly worse than the one that watches the clock.
Warm starts helped most at high discounts.
Judges rated the longer answers higher.
Throughput rose when the batch was bigger.
The distilled student kept up with its teacher.
Errors shrank quicker on errands than on couriers' rounds.
The new schedule gave us the lowest perplexity so far.
In every maze, modified policy iteration did less work.
Look at the curve: the dashed method is ahead all the way.
Its answers were shorter and, to my surprise, better.
The preference-tuned policy drifted further from the reference than we wanted.
We got the same accuracy with fewer tokens.
GRPO needed less memory than PPO.
The critic was never as sharp as the exact values.
Both agents improved, the careful one more slowly.
Value iteration took the prize at low discounts; it was the quickest there.
The longer chain of thought scored worse on arithmetic.
A random policy falls off the cliff more often in these experiments.
Replay made the difference: the loss was far smoother.
The ensemble is more accurate than its best member on the held-out games.
Our tokenizer produces fewer tokens per word than the stock one.
Each extra head hurt more than the last.
Policy iteration got by with the fewest rounds.
Label smoothing did more harm than good.
The deeper tree paid for itself: it lost fewer games.
Greedy decoding came out ahead of sampling.
The warm-up made no difference to the slowest seeds.
At the highest discount the planner was outpaced by the sweeper.
Solving twice proved cheaper than one long sweep.
The trained judge agrees with people more often than the prompted one in our data.
Cutting the horizon hurt the careful policy less.
The tiny transformer learned addition sooner.
After the fix, the curves lay closer together.
The robot bumped into fewer walls when the fine was small.
Everything ran quicker on one thread.
Bigger was not better on this task.
The runs with a baseline scatter less.
The learned plan was nearly as short as the shortest path.
Mistakes became rarer with every round.
Most seeds beat the baseline.
The offline agent is weaker on the cliff than the online one.
Merging adapters kept the quality and halved the latency.
The reward climbed highest where the penalty was weakest.
Sampling more starts bought us little: the median was as low as ever.
The new loss turned the ranking upside down, with the plain method in front and well ahead.
Tabular learners were done before the network had warmed up, and far cheaper too.
The longer we trained, the worse the outputs got.
With eight heads the model did better than with one.
Value iteration performs worst on the windy grid.
In this experiment a high temperature beats a low one.
Curiosity doubled the coverage and slowed the score.
The tuned agent fell behind after the switch.
The heavier regulariser kept the weights smaller.
Shaping shortened the episodes.
The second seed did even better.
Policy iteration is the clear winner on errands, with fewer rounds throughout.
Rewards were rarer and learning was correspondingly slower.
The exact gradient brought no gain over the sampled one.
""".strip().split("\n")

UNSEEN_HONEST = """
A larger discount makes the fixed point harder to reach.
The factor grows without limit as the discount approaches one.
Averaging can never make the largest error larger.
An agent that explores more learns about more states, at the price of doing worse for a while.
It is easier to check a solution than to find one.
The more states a table has, the more memory it takes.
A policy that is greedy with respect to its own values cannot be improved.
The bound is tighter for the span than for the norm.
If the reward for moving were higher, the agent would never leave.
Bootstrapping lowers the variance and raises the bias.
A longer horizon means that more rewards count.
Off-policy methods reuse data and are therefore more sample-efficient in principle.
Think of a driver who takes the shorter road although it is slower at noon.
The best action in a state is the one with the largest value.
Policy iteration converges in at most as many rounds as there are policies.
A good forecast is worth less the later it comes.
Nobody needs a faster car in a traffic jam.
The maximum of noisy estimates is, on average, larger than the maximum of the true values.
Larger models store more facts but also cost more to serve.
When gradients are small, learning is slow.
One would expect the exact method to be slower on large tables.
A manager should ask whether a cheaper model would do as well.
The smaller the step, the safer the update.
Bellman showed that the longer problem contains the shorter one {cite}`bellman1957`.
In the fifties computers were slower than a cheap watch is today.
I find it easier to think in returns than in rewards.
I thought for a long time that the value was harder to learn than the policy.
Suppose team A was faster than team B last quarter.
A deeper tree gives the search a better view and a higher bill.
Sampling is cheaper than summing when there are many outcomes.
Two policies can have the same value and still act differently.
A higher temperature flattens the distribution, so rare tokens become more likely.
A reward model is only as good as the comparisons it is trained on.
The advantage says how much better an action is than the average.
The clipped objective keeps the new policy no further from the old one than a fixed ratio.
A stronger penalty keeps the policy closer to the reference.
Before looking, I write down that the sweeps should grow with the discount.
It is better to be roughly right than precisely wrong.
More data does not repair a wrong objective.
The lower bound rises and the upper bound falls until they meet.
Attention costs more as the context gets longer, with the square of its length.
The simplest baseline is the one that always answers yes.
People notice losses more than gains.
Value functions make credit assignment easier, because news travels one step at a time.
Q-learning learns the values of the greedy policy, whereas SARSA learns those of the policy it follows.
The trick is to choose a baseline that is close to the expected return.
A model that is trained longer may forget what it knew before.
The first term is the smaller one when the policies are close.
On a slippery floor the shortest path is not always the best.
A contraction brings any two guesses closer together.
You should never trust a curve that shows only the best seed.
A bigger network needs more memory than a small one.
The optimal value is at least as large as the value of any policy.
Longer episodes carry more information, and more noise.
What would a cleverer cheat do with this reward?
The exact solution is the better test, since it has no tolerance to choose.
Most tutorials stop at the wrong place.
A plan that looks further ahead must also guess more.
The later a mistake is found, the more it costs to repair.
Asking a simpler question first is often the faster way.
In-place sweeps use fresh values at once, which can only help with monotone updates.
Faster is not the same as better.
Last year I took the longer road to work and was happier for it.
My first teacher said that a shorter proof is a better proof.
I wrote the smaller program first, because it was easier to test.
The customer who complained was right more often than the one who did not.
A team that met more often decided no faster.
When I first read the proof, I found the second half harder than the first.
The wiser move is to ask which costs are already sunk.
A model with more parameters than data points can fit anything.
Whoever searches longer finds better apartments, up to a point.
The greedy choice was never meant to be the best one.
Entropy is highest when all actions are equally likely.
Shannon thought of a code as good when it was shorter than its rivals {cite}`sutton2018`.
The reference policy keeps the tuned one closer to fluent text.
In a larger state space, exploration by chance alone is slower than one thinks.
Smaller steps are safer, larger ones are faster, and the art lies in between.
Adam keeps a running mean of squared gradients, so rare features take larger steps.
A company that pays for speed gets speed, not better work.
Had the reward been smaller, the agent would have turned round earlier.
The hotter the sampling, the wilder the text.
Off-policy evaluation has higher variance the further the policies are apart.
Value iteration does less work per sweep than policy iteration does per round.
The later layers see longer contexts only through the earlier ones.
If two curves cross, neither method is better.
The kindest review is the one that finds the error early.
It took mathematicians decades to prove the faster rate.
For most of us, a plan is easier to follow than a policy.
Nothing is more practical than a good theory.
The more often a state is visited, the more reliable its estimate.
PPO clips the ratio, which makes large updates less likely.
A calmer learner forgets less, a bolder one finds more.
A friend once told me that the shorter queue was always the slower one.
The old rule was simple: buy the cheaper part and repair it twice.
A later reward is worth less, and a certain one more.
Our firm could plan further ahead than it does.
We will see that the tighter bound needs a stronger assumption.
The lift that was faster yesterday may be slower today.
It is safer to average over seeds than to trust one.
Importance weights grow larger the longer the episode lasts.
What looked like a harder problem is the same problem in disguise.
Early chess programs were weaker than a good amateur.
A cheaper experiment that answers the question beats a dearer one that does not.
The chain rule makes the deeper layers harder to train.
A judge that prefers longer answers teaches the model to write longer answers.
I was slower to trust this theorem than I should have been.
In expectation the estimate is right; a single sample may be far worse.
Nothing stops a policy from being best in one state and worst in another.
The squared loss punishes large errors more than small ones.
There is no better cure for optimism than a longer list of failures.
The more honest the limits, the more useful the result.
As the temperature falls, the soft maximum gets closer to the hard one.
The wider the beam, the blander the sentence.
A reward that comes sooner is worth more, whatever its size.
Averages of many noisy numbers are steadier than any of them.
The expert was told to speak more slowly than usual.
A shorter horizon turns a hard problem into an easier one.
It pays to ask which of two errors is the cheaper one to make.
Every proof I knew was longer than it had to be.
The state needs fewer numbers than the history does.
Policies that differ in one state only are easier to compare.
A tighter budget forces a plainer plan.
Nobody can promise that the next model will be better.
Exact methods are slower and safer; approximate ones are faster and need a second look.
Two estimates with the same mean can have very different spreads.
The higher the stakes, the more a person should read before signing.
My grandmother kept her accounts better than any bank I know.
""".strip().split("\n")


@pytest.fixture(scope="module")
def real() -> list[Evidence]:
    """The repository's own posts."""
    return gather_all(find_project(ROOT), "small")[0]


def findings_in(project: Project, evidence: Evidence, text: str) -> list[Finding]:
    draft = Draft("x", "scientist", project.root / "x.md", text, {}, text, 1)
    return list(comparisons.check(make_subject(project, evidence, draft, None)))


@pytest.fixture
def check(project: Project) -> Check:
    """Checks a text as the toy post's Scientist edition."""
    evidence = the_post(project)
    return lambda text: findings_in(project, evidence, text)


def test_rates_on_sentences(real: list[Evidence]) -> None:
    """At least 90 % of result-stating sentences are caught, at most 5 % of honest ones flagged; by the post."""
    project = find_project(ROOT)
    post = next((e for e in real if "vi_vs_pi" in " ".join(e.post.studies)), real[0])
    for results, honest in ((TUNED_RESULTS, TUNED_HONEST), (UNSEEN_RESULTS, UNSEEN_HONEST)):
        missed = [s for s in results if not findings_in(project, post, s)]
        flagged = [s for s in honest if findings_in(project, post, s)]
        print(f"caught {len(results) - len(missed)} of {len(results)}, flagged {len(flagged)} of {len(honest)}")
        sys.stdout.write("".join(f"  missed: {s}\n" for s in missed) + "".join(f"  flagged: {s}\n" for s in flagged))
        assert len(missed) <= 0.1 * len(results) and len(flagged) <= 0.05 * len(honest)
    assert not set(TUNED_RESULTS + TUNED_HONEST) & set(UNSEEN_RESULTS + UNSEEN_HONEST)
    assert len(UNSEEN_RESULTS) >= 60 and len(UNSEEN_HONEST) >= 60


def test_real_drafts_are_left_alone(real: list[Evidence]) -> None:
    """The offline drafts state their comparisons in claims; their theory is full of comparatives."""
    project = find_project(ROOT)
    for evidence in real:
        for edition in EDITIONS:
            draft = load_draft(project, evidence.post.slug, edition)
            if draft is not None:
                found = list(comparisons.check(make_subject(project, evidence, draft, None)))
                assert len(found) <= 1, [str(f) for f in found]


def test_a_finding_names_place_sentence_and_fix(check: Check) -> None:
    found = check("Theory first.\n\nThe mean is what it is. Our runs show a faster coin.")
    assert [(f.check, f.line, f.column) for f in found] == [("loose-comparison", 3, 41)]
    assert found[0].sentence == "Our runs show a faster coin." and "{claim}" in found[0].fix
    assert found[0].message == 'a comparison about a run outside a claim: "faster"'


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("{claim}`coin.more|The long series has more heads.`", False),
        ("{claim}`coin.more|The series differ.` It was also faster.", True),
        ("It was also faster.", False),
        ("The coin shows {val}`coin.many` heads, more than the other.", True),
        ("In {fig}`coin.heads` the line is steeper at first.", True),
        ("As {cite}`feller1968` found, the longer series was the steadier one.", False),
        ("We threw fair coins only, and a few of them fell off the table.", False),
        ("If the coin were lighter, it would fall more slowly.", False),
        ("The runs should be faster with a lighter coin.", False),
        ("The larger board was used.", False),
        ("Before the throw we expected the lighter coin to be faster.", False),
        ("We expected little, but the lighter coin was faster.", True),
    ],
)
def test_rules(check: Check, text: str, flagged: bool) -> None:
    assert bool(check(text)) is flagged


def test_a_parameter_does_not_make_a_result(real: list[Evidence]) -> None:
    post = next((e for e in real if "env.cliff.epsilon" in e.results.facts), None)
    if post is None:
        pytest.skip("week 1 has no results here")
    project = find_project(ROOT)
    assert not findings_in(project, post, "With {val}`env.cliff.epsilon` random steps the safer move pays.")
    assert findings_in(project, post, "With {val}`grid.cliff.soft_steps` steps the safer move pays.")


@pytest.mark.parametrize(
    ("text", "past"),
    [
        ("The critic never caught up.", True),
        ("The loss improved.", True),
        ("The discounted sum is solved by sweeping.", False),
        ("A policy that was learned from data generalises.", False),
        ("The state has changed most.", False),
        ("It needs what it needs.", False),
    ],
)
def test_is_past(text: str, past: bool) -> None:
    assert is_past(text) is past


def test_vocabulary_is_taken_from_the_evidence(real: list[Evidence]) -> None:
    words = vocabulary(real[0])
    assert words.methods.search("where Value iteration runs") and words.places.search("on the cliff")
    assert "windy" not in PLACES.split() and "value_iteration" in METHODS.split()


# --- Direction -----------------------------------------------------------------------------------------------------

SEEDS = range(4)


def measured(key: str, value: float, unit: str, description: str, better: str, interval: bool = True) -> Fact:
    """A fact over four seeds."""
    span = (value - 0.1, value + 0.1) if interval else None
    return fact(key, value, unit, description, fmt=".1f", better=better, seeds=SEEDS, values=[value] * 4, interval=span)  # type: ignore[arg-type]


FACTS = {
    f.key: f
    for f in (
        measured("race.pi_seconds", 2.0, "s", "time of policy iteration", "lower"),
        measured("race.vi_seconds", 6.0, "s", "time of value iteration", "lower"),
        measured("race.pi_rounds", 3.0, "iterations", "rounds of policy iteration", "lower", interval=False),
        measured("race.vi_sweeps", 40.0, "iterations", "sweeps of value iteration", "lower", interval=False),
        measured("win.near", 0.6, "fraction", "success of the hasty planner", "higher"),
        measured("win.far", 0.9, "fraction", "success of the patient planner", "higher"),
        parameter("race.mazes", 4, "mazes", "mazes drawn", fmt="d"),
    )
}
PLAIN = Vocabulary(*(vocabulary.__globals__["re"].compile(r"(?!x)x") for _ in range(3)))


def stated(op: str, *of: str, says: str = "", bound: float | None = None) -> Claim:
    made = evaluate_claim(claim("c", op, *of, says=says, plain=says, bound=bound), FACTS)
    assert made.holds
    return made


FASTER = stated("less", "race.pi_seconds", "race.vi_seconds", says="Revising plans is faster than updating.")
WINS = stated("greater", "win.far", "win.near", says="Patience pays.")
PI, VI = "{val}`race.pi_seconds`", "{val}`race.vi_seconds`"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (f"Policy iteration is faster: {PI} against {VI}.", False),
        (f"Policy iteration is slower: {PI} against {VI}.", True),
        (f"The simple method is slower: {VI} instead of {PI}.", False),
        (f"The simple method is quicker: {VI} instead of {PI}.", True),
        (f"It takes {PI}, less than the {VI} of sweeping.", False),
        (f"It takes {PI}, more than the {VI} of sweeping.", True),
        (f"The time falls from {VI} to {PI}.", False),
        (f"The time rises from {VI} to {PI}.", True),
        ("Policy iteration is faster than value iteration.", False),
        ("Policy iteration is slower than value iteration.", True),
        ("Value iteration is slower than policy iteration.", False),
        ("Value iteration takes less time than policy iteration.", True),
        ("Policy iteration is not slower than value iteration.", False),  # negated: not decided
        ("Revising plans is faster than updating.", False),
        ("Revising plans is slower than updating.", True),
        ("Updating is slower than revising plans.", False),
        ("One method needs more care and is faster.", False),
    ],
)
def test_words_must_not_run_against_the_values(words: str, wrong: bool) -> None:
    assert bool(against_direction(words, FASTER, FACTS, PLAIN)) is wrong


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("The patient planner does better than the hasty one.", False),
        ("The patient planner does worse than the hasty one.", True),
        ("It rises from {val}`win.near` to {val}`win.far`.", False),
        ("It does better: {val}`win.far` against {val}`win.near`.", False),
        ("It does better: {val}`win.near` against {val}`win.far`.", True),
        ("With fewer sweeps it does better: {val}`win.far` against {val}`win.near`.", False),
    ],
)
def test_better_follows_the_fact(words: str, wrong: bool) -> None:
    assert bool(against_direction(words, WINS, FACTS, PLAIN)) is wrong


LOST = stated(
    "less", "race.pi_seconds", "race.vi_seconds",
    says="Let loose, the best of several plans becomes less likely as well, by {val}`race.pi_seconds` in all.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("Let loose, the best of the plans became less likely too, by {val}`race.pi_seconds`.", False),
        ("Let loose, the best of the plans became more likely too, by {val}`race.pi_seconds`.", True),
        ("Let loose, the worst of the plans became less likely too, by {val}`race.pi_seconds`.", True),
        ("Let loose, no best of the plans became more likely, by {val}`race.pi_seconds`.", False),  # negated anew
        ("Something quite different became more likely.", False),  # not the study's thought told freely
        (f"It took {PI} against {VI} there, less on each try.", False),
        (f"It never took long, {PI} against {VI} there, more on each try.", True),
    ],
)
def test_a_free_telling_turns_no_comparison_round(words: str, wrong: bool) -> None:
    assert bool(against_direction(words, LOST, FACTS, PLAIN)) is wrong


def test_agreement_within_a_tolerance_has_no_faster_side() -> None:
    near = stated("within", "race.pi_seconds", "race.vi_seconds", says="Both take about as long.", bound=5)
    assert "only that the values agree within 5" in against_direction(
        "One is faster than the other.", near, FACTS, PLAIN
    )
    assert against_direction("Both take as long.", near, FACTS, PLAIN) == ""


def test_words_that_need_seeds(check: Check) -> None:
    assert [f.check for f in check("{claim}`coin.more|The long series always has more heads.`")] == ["needs-seeds"]
    assert "needs-seeds" in {f.check for f in check("In our runs the coin consistently fell on heads.")}
    assert "needs-seeds" in {f.check for f in check("It worked on every seed.")}
    assert check("A fair coin always has two sides.") == []
    assert comparisons.proves_over_seeds(stated("less", "race.pi_seconds", "race.vi_seconds"), FACTS)
    assert comparisons.proves_over_seeds(stated("all_seeds", "race.pi_rounds", "race.vi_sweeps"), FACTS)
    assert not comparisons.proves_over_seeds(stated("less", "race.pi_rounds", "race.vi_sweeps"), FACTS)


def test_a_claim_against_its_facts_is_found_in_a_draft(check: Check) -> None:
    found = check("{claim}``coin.more|The long series has fewer heads: {val}`coin.many` against {val}`coin.few`.``")
    assert [(f.check, f.severity, f.key, f.line) for f in found] == [("against-direction", "error", "coin.more", 1)]
    assert '"fewer" is said of coin.many = 98 against coin.few = 4' in found[0].message


def test_values_that_changed_places_are_found_in_a_draft(check: Check) -> None:
    found = check("{claim}``coin.more|Few throws gave {val}`coin.many` heads, many {val}`coin.few`.``")
    assert [(f.check, f.severity, f.key, f.line) for f in found] == [("value-out-of-place", "error", "coin.more", 1)]
    assert "coin.many" in found[0].message and "in the study's order" in found[0].fix
