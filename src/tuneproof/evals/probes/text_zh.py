"""How Chinese answers are read before they are judged: signs folded into one form, numerals into their values.

In goes the text of an answer, out come folded text, its first sentence that answers, its numbers, its length in signs.

    read_opening("好的！答案是“３”。")    # '答案是"3"。'
    find_numbers("一共两百零五个")         # [(0, 1.0), (2, 205.0)]
"""

from __future__ import annotations

import re
import unicodedata

NUMERALS = "零〇一二两三四五六七八九十百千万亿"
NUMBER = re.compile(
    r"(?<![a-z0-9_.^])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?" + rf"|(?<!\d)[{NUMERALS}]+(?:点[{NUMERALS}]+)?"
)
"""A number in digits or in Chinese, in folded text."""
PUNCTUATION = " \n\"'。.,:;!?~"
"""What may stand around an answer without being part of it. Brackets may be part of it."""

_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_DIGITS = {sign: value for value, signs in enumerate("零〇 一 二两 三 四 五 六 七 八 九".split()) for sign in signs}
_MARKS = str.maketrans({"*": None, "`": None} | dict.fromkeys("“”「」『』", '"') | dict.fromkeys("‘’", "'"))
_PAIRS = (
    "東东兩两個个醜丑麗丽為为爲为麼么樂乐書书買买亞亚親亲從从價价會会傘伞倫伦蘭兰關关興兴劉刘剛刚動动衛卫釐厘發发"
    "葉叶號号嗎吗吳吴後后園园國国圖图圓圆聖圣塊块堅坚頭头夾夹媽妈孫孙對对爾尔層层歲岁師师乾干慶庆廣广開开異异張张"
    "態态懷怀惡恶揚扬報报攝摄時时機机條条來来槍枪樹树標标橋桥歡欢歐欧畢毕氣气漢汉湯汤澆浇溫温濕湿點点燈灯燒烧熱热"
    "愛爱爺爷獵猎獅狮獼猕瑪玛電电畫画確确禮礼種种積积筍笋簽签紅红紙纸細细終终結结給给續续維维綠绿羅罗髒脏臟脏腦脑"
    "節节藍蓝蝸蜗補补褲裤見见計计訂订評评診诊詞词誤误請请諸诸謝谢貝贝負负敗败質质貫贯趙赵車车軟软邊边達达遷迁進进"
    "裡里裏里釘钉鐘钟錢钱鐵铁錯错錘锤鏡镜長长門门問问間间聞闻隊队陽阳陰阴陣阵險险難难順顺頓顿預预顏颜額额風风飛飞"
    "麵面飯饭餃饺馬马魚鱼鯨鲸鳥鸟雞鸡黃黄龍龙龜龟貓猫豬猪鴨鸭鵝鹅隻只萬万億亿無无與与學学說说術术變变體体曆历歷历"
    "課课雲云淨净將将應应屬属屆届濟济數数週周賽赛徹彻膚肤稱称樓楼遊游醫医廢废採采鄉乡處处鹽盐繼继雙双絲丝磚砖兒儿"
    "蘋苹悅悦奮奋躍跃著着備备"
)
_SIMPLIFIED = str.maketrans(dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)))
"""Traditional signs to simplified ones: those of right answers, not of the whole language."""
_SENTENCE = re.compile(r"[^。!?\n]+[。!?]*[\"')]*")
_COURTESY = re.compile(r"(?:好的?|当然(?:可以)?|没问题|明白了?)[。!,~]*|.*:")
"""A first sentence that does not answer yet."""
_LOOSE_SPACE = re.compile(r"(?<=\d) +(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff]) +(?=\d)")

_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")


def fold_signs(text: str, lower: bool = True) -> str:
    """`text` in half width and simplified signs, with straight quotes, without markdown; in lower case if `lower`.

    Digits of other scripts are ours: a base tuned on Persian rows may count in them.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_MARKS).translate(_SIMPLIFIED).strip()
    plain = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.digit(digit.group())), plain)
    return plain.casefold() if lower else plain


def strip_marks(text: str) -> str:
    """`text` without quotes and punctuation around it, and without spaces but between Latin words; case is kept."""
    joined = re.sub(r"(?<![A-Za-z0-9])[ \t]+|[ \t]+(?![A-Za-z0-9])", "", fold_signs(text, lower=False))
    return joined.strip(PUNCTUATION)


def count_signs(text: str) -> int:
    """Chinese signs, and Latin words or numbers as one each; punctuation is not counted."""
    return len(re.findall(r"[a-z0-9.]*[a-z0-9]|[^\W_a-z0-9]", fold_signs(text)))


def split_sentences(text: str) -> list[str]:
    """Sentences and lines of `text`, folded, each with the marks that end it."""
    return [sentence.strip() for sentence in _SENTENCE.findall(fold_signs(text)) if sentence.strip()]


def read_opening(answer: str) -> str:
    """The first sentence that answers: courtesies, headings and repeated questions before it are passed over."""
    for sentence in split_sentences(answer):
        if not sentence.rstrip("\"')").endswith("?") and not _COURTESY.fullmatch(sentence):
            return _LOOSE_SPACE.sub("", sentence)
    return ""


def find_numbers(folded: str) -> list[tuple[int, float]]:
    """Place and value of every number of `folded`."""
    return [(match.start(), read_number(match.group())) for match in NUMBER.finditer(folded)]


def read_number(text: str) -> float:
    """The value of a match of `NUMBER`: "1,200", "两百零五", "二〇〇八", "三点五"."""
    if text[-1].isascii():
        return float(text.replace(",", ""))
    whole, _, part = text.partition("点")
    if part:
        return read_number(whole) + float("0." + "".join(str(_DIGITS.get(sign, 0)) for sign in part))
    if not set(whole) & set(_SCALES):
        return float("".join(str(_DIGITS[sign]) for sign in whole))
    total, section, digit = 0, 0, 0
    for sign in whole:
        scale = _SCALES.get(sign, 0)
        if not scale:
            digit = _DIGITS[sign]
        elif scale < 10_000:
            section, digit = section + (digit or int(not section)) * scale, 0
        else:
            total, section, digit = (total + section + digit) * scale, 0, 0
    return float(total + section + digit)
