import XMLReading

extension ConfigurationReading {
    /// A secret: the element's text, or what `file="…"` or `env="…"` names.
    /// - Parameter isInText: Becomes true when the secret stands in the configuration itself.
    func secret(_ name: String, in parent: XMLElement, isInText: inout Bool) -> Secret? {
        guard let element = parent.child(name) else {
            missing("<\(name)>", in: parent)
            return nil
        }
        inspect(element, attributes: ["file", "env"], takesText: true)
        let sources = [
            attribute("file", of: element), attribute("env", of: element),
            element.trimmedText.isEmpty ? nil : Located(element.trimmedText, line: element.line, place: "<\(name)>"),
        ]
        guard sources.count(where: { $0 != nil }) <= 1 else {
            fault(
                .conflict, line: element.line, "<\(name)> has more than one source",
                expected: "only one of text, file=\"…\" and env=\"…\"")
            return nil
        }
        if let path = sources[0] { return secret(fromFile: path) }
        if let variable = sources[1] {
            if let value = environment[variable.value], !value.isEmpty { return Secret(value) }
            fault(
                .secret, line: variable.line, "the environment has no \(quoted(variable.value)), which <\(name)> names",
                expected: "a variable that is set where the program runs")
            return nil
        }
        // An empty password is a password: PKCS#12 files are made with one.
        if !element.trimmedText.isEmpty { isInText = true }
        return Secret(element.trimmedText)
    }

    private func secret(fromFile text: Located<String>) -> Secret? {
        let path = ConfigurationFile.resolve(text.value, in: directory)
        do throws(FileReadingError) {
            var octets = try ConfigurationFile.read(path, limit: 4_096)[...]
            if octets.last == UInt8(ascii: "\n") { octets.removeLast() }
            if octets.last == UInt8(ascii: "\r") { octets.removeLast() }
            guard let value = String(validating: octets, as: UTF8.self), !value.isEmpty, !value.utf8.contains(0) else {
                fault(.secret, line: text.line, "\(path) holds no password", expected: "one line of UTF-8 text")
                return nil
            }
            warnOfLooseMode(path, line: text.line, what: "the secret")
            return Secret(value)
        } catch {
            fault(
                .secret, line: text.line, "\(path) cannot be read: \(error.reason)", expected: "a file with the secret")
            return nil
        }
    }

    /// Warns when everyone on the machine can read `path`.
    func warnOfLooseMode(_ path: String, line: Int, what: String) {
        guard let facts = FileFacts(path: path), facts.isReadableByOthers else { return }
        warn(.looseMode, line: line, "\(path) holds \(what) and others can read it: chmod o-rwx it")
    }

    /// Warns when `path` cannot be read by this process.
    func warnOfUnreadable(_ path: String, line: Int, what: String) {
        guard !ConfigurationFile.isReadable(path) else { return }
        warn(.unreadableFile, line: line, "\(what) \(path) is not there or cannot be read by this user")
    }
}
