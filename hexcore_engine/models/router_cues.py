"""Words that hint at what a question wants, by kind. A word may be of several kinds.

Only their order and company decide; no word decides alone ("teach me what happens if he responds").
"""

from __future__ import annotations

_CUES = {
    "teach": (
        "teach teaches teaching taught learn learns learning learnt lern tutor tutoring coach coaching "
        "instruct instructor guide guided mentor train training lesson lessons course curriculum class "
        "classes school unit seminar module modules bootcamp primer intro introduction introduce "
        "introducing tutorial syllabus homework onboard refresher refresh relearn study studying educate "
        "familiarize familiar acquaint show"
    ),
    "exercise": (
        "quiz quizzes drill drills exercise exercises practice practise practising practicing rehearse "
        "puzzle puzzles riddle riddles flashcards flashcard test mock train simulate sparring mnemonic "
        "mnemonics example examples worked cheat checklist plan routine homework hint hints"
    ),
    "level": (
        "beginner beginners beginner's newbie newbies noob noobs novice rookie newcomer newcomers new "
        "starter starters starting start begin begins beginning basics basic scratch zero nothing "
        "fundamentals fundamental 101 dummies ground level advanced intermediate absolute total clueless "
        "clue first never"
    ),
    "pace": (
        "step steps slow slowly slower gentle gently patient patiently gradually bit pace easy easiest "
        "simple simpler simplest baby tiny walk through thru hand ladder build bottom"
    ),
    "grasp": (
        "understand understanding grasp grok remember memorise memorize memorizing memorising master "
        "comfortable confident confused confuse confuses confusing lost mix stuck click clicks sticks "
        "sink intuition figure wrap struggle struggling better improve fluent"
    ),
    "audience": (
        "son daughter kid kids child children niece nephew grandma grandpa mum mom dad wife husband "
        "girlfriend boyfriend gf bf sister brother cousin friend friends friend's mate mates roommate "
        "students student player's players playgroup club group coworker colleague yr year-old old "
        "twelve ten seven six"
    ),
    "odds": (
        "odds odd chance chances chanse probability probabilities probable probably likely likelihood "
        "likeliest percent percentage percentages expected expect average averages hypergeometric equity "
        "ev variance often forecast predict prediction estimate outs math rate winrate favoured favored "
        "favorite favourite"
    ),
    "cards": "outs library left cards deck draws draw topdeck turns lands hit find",
    "decide": (
        "should keep mulligan mull ship snap race hold attack swing alpha chump bait commit sandbag jam "
        "shove concede overextend bolt wait risk worth best better line play correct gamble tap pick "
        "smart"
    ),
    "guess": (
        "read reads holding bluff bluffing bluffs trap trick tricks hiding planning plan sandbagging "
        "representing guess reckon suppose figure think bet feel slowroll smirk suspicious hand"
    ),
    "future": (
        "will won't gonna going next soon upcoming tomorrow turns untaps eventually later race clock "
        "lethal survive stabilise stabilize win wins beat beats outlast outrace topdeck dead live end "
        "ends ahead favoured"
    ),
    "was": "was were wasn't weren't did didn't had hadn't been",
    "past": (
        "lost died killed cast attacked blocked forgot missed conceded scooped let said told played kept "
        "called allowed ruled happened countered named paid went took drew made got gave thought ended "
        "used chumped bolted swung held tapped cracked chose picked stole ate threw punted blew put ran "
        "sided resolved finished noticed realised realized argued insisted claimed passed won beat saw "
        "knew believed stopped cost fetched mulliganed mulled traded tutored targeted responded "
        "topdecked flooded exiled bounced activated cheated agreed accepted continued discarded drafted"
    ),
    "hindsight": ("should've would've could've shoulda coulda woulda i'd've have've mustn't supposed"),
    "when_past": (
        "yesterday ago last previous monday tuesday wednesday thursday friday saturday sunday earlier "
        "hindsight retrospect retrospectively back afterwards weekend night evening week month year "
        "tonight's morning once lately recently since"
    ),
    "event": (
        "fnm prerelease draft league tournament round rounds match finals final semis semifinal rcq gp "
        "lgs ptq store game games video vod replay log stream season g1 g2 g3 r1 pod event"
    ),
    "verdict": (
        "wrong mistake mistakes misplay misplays misplayed error errors blunder blunders fault blame "
        "regret regrets cheated cheating cheat illegal illegally legit deserved cost screwed screw "
        "botched punt punted throw threw bad dumb stupid terrible awful worst losing losses loss fair "
        "unfair justified reasonable excusable unlucky greedy misread sloppy"
    ),
    "own": "my mine our ours",
    "speaker": "i i'm im i've ive i'd i'll me we we're us myself",
    "opponent": (
        "he his him he's hes she her opponent opponent's opponents opp opp's they their them he'll he'd "
        "she's oppo"
    ),
    "generic": ("a an any someone somebody player players player's people general generally normally always"),
    "definition": (
        "mean means meaning meant define defined definition term terms called stand stands word words "
        "wording abbreviation explain explained explanation describe description summary summarise "
        "summarize sum tldr gist rundown overview outline difference differences differ differs versus "
        "concept rule rules section chapter glossary keyword keywords official officially rulebook "
        "paraphrase simplified nutshell actually"
    ),
    "asking": "what what's whats wat which who whose when where why how how's",
    "verb": "does do is are can may will would could should must has have am did was were",
    "action": (
        "respond responds response resolve resolves resolved resolving trigger triggers triggered stack "
        "sac sacrifice sacrifices sacced die dies dead death destroy destroyed damage block blocks "
        "blocked blocker blockers attack attacks attacking attacker target targets targeted legal "
        "legally flash copy copies token counter countered exile exiled bounce bounced enters etb "
        "regenerate protection deathtouch trample lifelink survive survives activate activates steal "
        "gain loses lose upkeep priority"
    ),
    "now": "now currently still already right moment active",
    "condition": "if when once whenever after before while",
    "amount": "many much long big",
    "until": "until till by within reach",
}


def _kinds_by_word() -> dict[str, tuple[str, ...]]:
    kinds: dict[str, list[str]] = {}
    for kind, words in _CUES.items():
        for word in words.split():
            kinds.setdefault(word, []).append(kind)
    return {word: tuple(names) for word, names in kinds.items()}


KINDS: dict[str, tuple[str, ...]] = _kinds_by_word()

# Words that carry a sentence's build rather than its subject.
_STRUCTURE = (
    "a an the this that these those i me my mine i'm i've i'd i'll we us our you your he him his "
    "he's he'd he'll she her they them their it its it's is are was were be been being am do does "
    "did don't doesn't didn't done doing have has had having can can't could couldn't may might must "
    "shall should shouldn't will won't would wouldn't if when while since after before during until "
    "and or but so because as than then of in on at to from for with without by about into over "
    "under off out up down what which who whose whom where why how there here not no nor never ever "
    "any some all both each every one two three more most much many few less only just still already "
    "yet again now today tonight tomorrow yesterday ago last next first myself please let let's get "
    "got go going gonna want wanted need like know think say said tell told make made what's who's "
    "where's how's that's there's right wrong okay ok yes yeah lol"
)
STRUCTURE = frozenset(_STRUCTURE.split())
