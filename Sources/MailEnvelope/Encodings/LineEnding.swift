/// The convention by which the lines of a file end.
public enum LineEnding: Hashable, Sendable {
    /// Every line ends with CRLF, and no CR or LF stands alone; also a file without any line end.
    case crlf
    /// Every line ends with LF, and there is no CR at all: how mail usually stands in a Maildir.
    case lf
    /// Anything else: CR or LF stand alone somewhere beside CRLF.
    case mixed
}
