"""The currencies of ISO 4217 that are in use; a code that is not here is a mistake in a file."""

# First letter → what may follow it.
_CODES = {
    "A": "ED FN LL MD OA RS UD WG ZN",
    "B": "AM BD DT HD IF MD ND OB RL SD TN WP YN ZD",
    "C": "AD DF HF LP NY OP RC UP VE ZK",
    "D": "JF KK OP ZD",
    "E": "GP RN TB UR",
    "F": "JD KP",
    "G": "BP EL HS IP MD NF TQ YD",
    "H": "KD NL TG UF",
    "I": "DR LS NR QD RR SK",
    "J": "MD OD PY",
    "K": "ES GS HR MF PW RW WD YD ZT",
    "L": "AK BP KR RD SL YD",
    "M": "AD DL GA KD MK NT OP RU UR VR WK XN YR ZN",
    "N": "AD GN IO OK PR ZD",
    "O": "MR",
    "P": "AB EN GK HP KR LN YG",
    "Q": "AR",
    "R": "ON SD UB WF",
    "S": "AR BD CR DG EK GD HP LE OS RD SP TN VC YP ZL",
    "T": "HB JS MT ND OP RY TD WD ZS",
    "U": "AH GX SD YU ZS",
    "V": "ED ES ND UV",
    "W": "ST",
    "X": "AF CD CG OF PF",
    "Y": "ER",
    "Z": "AR MW WG",
}
CURRENCIES = frozenset(letter + rest for letter, group in _CODES.items() for rest in group.split())
