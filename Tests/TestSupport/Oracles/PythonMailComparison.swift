import Foundation

/// Tests whether two messages are the same mail to Python's email package: the same leaves with the same types, names
/// and decoded contents.
public enum PythonMailComparison {
    public struct Pair: Sendable {
        public let name: String
        public let before: [UInt8]
        public let after: [UInt8]

        public init(name: String, before: [UInt8], after: [UInt8]) {
            self.name = name
            self.before = before
            self.after = after
        }
    }

    /// One line for each difference, in one run for all pairs.
    public static func differences(_ pairs: [Pair]) async throws -> [String] {
        let scratch = try ScratchDirectory()
        for (index, pair) in pairs.enumerated() {
            try scratch.write(pair.before, to: "\(index).before")
            try scratch.write(pair.after, to: "\(index).after")
            try scratch.write(Array(pair.name.utf8), to: "\(index).name")
        }
        let run = try await RunningProgram.run(
            "/usr/bin/python3", ["-c", script, scratch.path, "\(pairs.count)"], asRoot: true)
        guard run.status == 0 else { throw HarnessError("python3: \(run)") }
        return run.output.split(separator: "\n").map(String.init)
    }

    private static let script = """
        import email, email.policy, sys
        folder, count = sys.argv[1], int(sys.argv[2])

        def read(path):
            with open(path, "rb") as file:
                return email.message_from_bytes(file.read(), policy=email.policy.compat32)

        def leaves(message):
            found = []
            for part in message.walk():
                if part.is_multipart():
                    continue
                try:
                    content = part.get_payload(decode=True)
                except Exception as error:
                    content = repr(error).encode()
                try:
                    name = str(part.get_filename())
                except Exception as error:
                    name = repr(error)
                found.append((part.get_content_type(), name, part.get_content_disposition(), content))
            return found

        for index in range(count):
            name = open(f"{folder}/{index}.name").read()
            before, after = leaves(read(f"{folder}/{index}.before")), leaves(read(f"{folder}/{index}.after"))
            if len(before) != len(after):
                print(name, len(before), "leaves before,", len(after), "after")
            for number, (one, other) in enumerate(zip(before, after)):
                # Python has no charset for a name in 8-bit octets; an encoded one has it.
                if one[:3] != other[:3] and "\\ufffd" not in one[1]:
                    print(name, "leaf", number, one[:3], other[:3])
                if one[3] != other[3]:
                    print(name, "leaf", number, one[0], "content", len(one[3] or b""), len(other[3] or b""),
                          repr(one[3][-60:]), repr(other[3][-60:]))
        """
}
