"""What words in the names of files and folders mean: emotions, dates, what a recorder calls its files,
folders that are no people.

They find out how a user's own recordings are named. No label is changed by them: what looks like one emotion
under two words is proposed, and the user decides.
"""

import re
import unicodedata
from functools import cache

_EMOTIONS = {
    "angry": "angry anger angrily furious fury rage irate ang wut wütend ärger zorn zornig colère "
    "enojo enojado enfado enfadado ira rabia raiva rabbia arrabbiato gniew złość zły гнев "
    "злость злой ярость öfke öfkeli kızgın boos woede 生气 愤怒 生氣 憤怒 怒り 怒 분노 화남 "
    "غضب غاضب غصہ गुस्सा क्रोध",
    "boredom": "boredom bored bor langeweile gelangweilt ennui aburrimiento tédio noia nuda znudzenie "
    "скука sıkıntı 无聊 無聊 退屈 지루함 ملل",
    "calm": "calm calmness cal relaxed ruhig ruhe gelassen calme calma tranquilo spokój spokojny "
    "спокойствие спокойный sakin rustig 平静 冷静 平靜 穏やか 평온 هدوء هادئ شांत",
    "disgust": "disgust disgusted disgusting dis ekel abscheu dégoût asco disgusto nojo desgosto wstręt "
    "obrzydzenie отвращение iğrenme tiksinti walging 厌恶 恶心 厭惡 嫌悪 혐오 اشمئزاز घृणा",
    "fear": "fear fearful afraid scared fea fright angst ängstlich furcht peur miedo medo paura "
    "strach страх korku bang 恐惧 害怕 恐懼 恐れ 恐怖 두려움 공포 خوف خائف ڈر डर भय",
    "happy": "happy happiness happily hap joy joyful cheerful freude fröhlich glücklich glück joie "
    "heureux alegría alegre feliz felicidad alegria felicidade gioia felice felicità radość "
    "radosny szczęście радость счастье радостный веселый весёлый mutlu mutluluk blij vreugde "
    "高兴 快乐 开心 喜悦 高興 快樂 開心 喜び 嬉しい 기쁨 행복 سعادة فرح سعيد خوشی खुशी",
    "neutral": "neutral neutrality neu normal neutre neutro neutrale neutralny neutraal нейтрально "
    "нейтральный нейтральное nötr 中性 中立 平常 중립 محايد غیرجانبدار तटस्थ",
    "sad": "sad sadness sadly unhappy trauer traurig traurigkeit tristesse triste tristeza "
    "tristezza smutek smutny грусть печаль грустный печальный üzgün üzüntü verdrietig "
    "droevig 悲伤 伤心 难过 悲傷 傷心 悲しみ 悲しい 슬픔 حزن حزين اداسی दुख उदास",
    "surprise": "surprise surprised surprising sur ps pleasant-surprise pleasant-surprised überraschung "
    "überrascht sorpresa sorpreso surpresa zaskoczenie zaskoczony удивление удивлённый "
    "удивленный şaşkın şaşkınlık verrassing verrast 惊讶 吃惊 惊喜 驚訝 驚き 놀람 مفاجأة "
    "متفاجئ حیرت आश्चर्य",
}

_OTHERS = """
    admiration affection amused amusement annoyed annoyance anticipation anxiety anxious apologetic
    arousal ashamed astonished awe bitter compassion concerned confident confused confusion contempt
    content curious curiosity depressed despair determined disappointed disappointment distress doubt
    eager elated embarrassed embarrassment encouraging energetic enthusiasm enthusiastic envy excited
    excitement exhausted frustrated frustration gratitude grief guilt guilty hate hatred helpless hope
    hopeful hostile hurt impatient insecure inspired interest interested irritated irritation jealous
    laughter lonely longing love melancholy nervous nostalgia optimistic pain panic passion peaceful
    pessimistic pity playful pleasure pride proud regret relief relieved remorse sarcastic sarcasm
    satisfied satisfaction sensual serious shame shouting shy sleepy sleepiness stress stressed
    suspicious sympathy tender tenderness tense terror tired triumph trust uncertain uncomfortable
    unsure upset whisper whispering worried worry
"""  # feelings and manners that no corpus here has; each is its own


def fold(text: str) -> str:
    """The form in which two spellings of one name are equal: case, composition, blanks, `-` and `_` apart."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[\s_\-]+", " ", text).split())


def clean(text: str) -> str:
    """A name as a table shows it: composed, without invisible marks, with plain single blanks."""
    text = unicodedata.normalize("NFC", text)
    kept = "".join(c for c in text if unicodedata.category(c) != "Cf" or c in "\u200c\u200d")
    return " ".join(kept.split())


def _bare(text: str) -> str:
    """Folded, and without the accents that people leave out."""
    parts = unicodedata.normalize("NFD", fold(text))
    return "".join(c for c in parts if not 0x300 <= ord(c) < 0x370)


@cache
def _meanings() -> dict[str, str]:
    return {word: word for word in _OTHERS.split()} | {
        form: emotion
        for emotion, words in _EMOTIONS.items()
        for word in words.split()
        for form in (fold(word), _bare(word))
    }


def meaning(word: str) -> str | None:
    """The emotion that a word, or a numbered one such as `01_Anger`, stands for; None of any other."""
    word = re.sub(r"^\d+[\s_.\-]*|[\s_.\-]*\d+$", "", fold(word))
    return _meanings().get(word) or _meanings().get(_bare(word))


@cache
def meaning_within(name: str) -> str | None:
    """The one emotion of which there is a word in a folder's name, such as `OAF_Fear`, `very happy`."""
    whole = meaning(name)
    if whole:
        return whole
    parts = [part for part in re.split(r"[\s.,;:+()\[\]]+", fold(name)) if len(part) > 2]
    found = {meaning(part) for part in parts} - {None}
    return found.pop() if len(found) == 1 and not _NEGATIONS & set(parts) else None


def emotion_beside_a_name(label: str) -> str | None:
    """The emotion in a label that is one word for it and some of no other kind: `anna_happy`; None of any
    other, such as `very happy`."""
    parts = fold(label).split()
    found = [part for part in parts if meaning(part)]
    others = set(parts) - set(found)
    if len(found) == 1 and others and not others & (_DEGREES | _NEGATIONS):
        return meaning(found[0])
    return None


def are_sexes(names: set[str]) -> bool:
    """Whether names say what sex somebody is, and not who."""
    return all(fold(name) in _SEXES for name in names)


def are_numbered(names: set[str], *, any_head: bool = False) -> bool:
    """Whether names differ by a letter or a number at their ends only, as parts do and people do not; of
    those whose number may count people too, such as `s01`, only where any_head."""
    heads = {re.sub(r"[\s_.\-]*(?:\d+|[a-z])$", "", fold(name)) for name in names}
    if len(names) < 2 or len(heads) > 1:
        return False
    head = heads.pop()
    return any_head or (len(head) > 2 and not is_speaker_word(head))


def without_dates(text: str) -> str:
    """A name without dates, times and random identifiers."""
    return _DATE.sub(" ", text)


def is_recorders(word: str) -> bool:
    """Whether a recorder, or a tool, puts this word into names: with or without a number."""
    return re.sub(r"\d+$", "", fold(word)) in _RECORDER


def is_no_person(name: str) -> bool:
    """Whether a folder's name is surely nobody's: a split, a session, a date, a device, a number of these."""
    parts = [part for part in re.split(r"[\s.]+", fold(without_dates(name))) if part]
    if parts and all(part.isdecimal() for part in parts):
        return False
    return all(re.sub(r"\d+$", "", part) in _NO_PEOPLE | {""} for part in parts)


def is_speaker_word(word: str) -> bool:
    """Whether a number behind this word counts people: `s01`, `speaker 3`."""
    return fold(word) in _SPEAKER_WORDS


def _folded(text: str) -> frozenset[str]:
    return frozenset(map(fold, text.split()))


_RECORDER = _folded(
    """
    rec recording recordings recorded record recorder audio voice sound snd clip sample
    take file track memo note new untitled img vid video mic ptt aud wav flac mp3 msg
    message utt utterance sentence sent phrase item no nr num copy kopie copia final
    edit edited trim trimmed cut clean norm normalized normalised mono stereo left right
    ch channel hz khz kbps zoom tascam dictaphone recforge whatsapp signal telegram
    aufnahme aufnahmen aufzeichnung sprachmemo enregistrement grabación grabacion
    gravação gravacao registrazione nagranie запись kayıt opname 录音 錄音 録音 녹음 تسجيل
    word text line phrase prompt question script story paragraph chapter
    monday tuesday wednesday thursday friday saturday sunday morning noon afternoon evening night
    """
)

_NO_PEOPLE = _folded(
    """
    train training test testing eval evaluation val valid validation dev fold split set
    session sess day date week month year part batch group run round block raw original
    originals processed converted resampled noisy noise clean augmented aug phone
    telephone mobile cell smartphone studio mic microphone headset device laptop desktop
    tablet room home office car kitchen outdoor indoor outside inside male female men
    women man woman boys girls kids adults children english german french spanish
    italian polish russian chinese urdu audio clips data dataset datasets recordings
    samples sounds wav wavs flac mp3 ogg files speech emotion emotions emotional voice
    voices corpus corpora own mine my user users all other others misc backup old new
    export exports download downloads tmp temp version v
    """
)

_SPEAKER_WORDS = _folded(
    """
    speaker speakers spk spkr sp s person p subject subj sub actor act a participant
    talker user u voice v id m f w male female man woman boy girl kid child adult
    student patient caller agent
    """
)

_SEXES = _folded("f m w d male female man woman men women boy girl boys girls unknown other")
_DEGREES = _folded(
    "very so too quite rather more less most least slightly little bit extremely strong strongly weak low "
    "medium high mild normal intense sehr leicht stark très peu muy poco molto"
)
_NEGATIONS = _folded("not non nicht pas без не")

_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"  # 2024-05-01, 20240501
    r"|(?:0?[1-9]|[12]\d|3[01])([-.])(?:0?[1-9]|1[0-2])\2(?:(?:19|20)\d\d|\d\d))(?!\d)"  # 01.05.2024
    r"(?:[T _-]+(?:at[ _]+)?\d\d[-:._h]?\d\d(?:[-:._m]?\d\d)?(?!\d))?"  # a time behind it
    r"|(?<![^\W_])\d{1,2}[ _.-]?" + _MONTH + r"[ _.-]?(?:(?:19|20)?\d\d)?(?![^\W_])"  # 5 May 2024
    r"|(?<![^\W_])" + _MONTH + r"[ _.-]?\d{1,2}(?:[ _.,-]+(?:19|20)?\d\d)?(?![^\W_])"  # May 5, 2024
    r"|(?<!\d)(?:[01]?\d|2[0-3])[h:][0-5]\d(?:[m:.]?[0-5]\d)?s?(?![^\W_])"  # 12h30, 12:30:05
    r"|(?<!\d)1[0-9]{9}(?:\d{3})?(?!\d)"  # seconds or milliseconds since 1970
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",  # a random identifier
    re.IGNORECASE,
)
