import DSSProtocol

/// Status and header fields of an answer.
struct AnswerHead {
    let status: Int
    let fields: [(name: String, value: String)]

    func value(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var isSuccess: Bool { (200..<300).contains(status) }

    /// Something between us and the service, or our own settings, stood in the way.
    var isAboutTheWay: Bool { (300..<400).contains(status) || [401, 403, 404, 407, 429].contains(status) }

    var isRefusal: Bool { (400..<500).contains(status) && !isAboutTheWay }

    var errorCode: Int? { value("ERROR_CODE").flatMap { Int($0) } }

    func unreachable(_ page: String) -> Unreachability {
        var words = "the server answered HTTP \(status)"
        if (300..<400).contains(status) { words += ", a redirection, which is not followed" }
        return Unreachability(.status(status), page.isEmpty ? words : words + ": " + page)
    }

    func refusal(_ page: String) -> Refusal {
        Refusal(.status(status), message: unreachable(page).message)
    }

    /// The outcome of an answer without a body: ADSS may refuse in header fields (docs/dss-protocol.md, Refusals
    /// without a document).
    var outcomeWithoutBody: DSSOutcome {
        let told = value("RESPONSE_STATUS")
        if told != nil || value("ERROR_CODE") != nil {
            let words = value("MESSAGE") ?? "refused with \(told ?? "an error code") and without a message"
            return .refused(Refusal(.headerFields, errorCode: errorCode, message: PlainText.line(words)))
        }
        if isRefusal { return .refused(refusal("")) }
        return .unreachable(
            isSuccess ? Unreachability(.noAnswer, "the answer is empty") : unreachable(""))
    }
}
