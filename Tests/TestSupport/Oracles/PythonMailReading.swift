import Foundation

/// The parts that Python's email package finds in messages: an independent reader of composed mail.
public enum PythonMailReading {
    public struct Leaf: Sendable, Hashable, Decodable {
        /// Lower case.
        public let type: String
        /// Decoded; nil without one.
        public let name: String?
        public let disposition: String?
        /// Of the multipart around it; nil for a message that is one leaf.
        public let parent: String?
        /// Without transfer encoding, in base64.
        public let content: String

        public var octets: [UInt8] { [UInt8](Data(base64Encoded: content) ?? Data()) }
    }

    /// The leaves of each message, those of messages within included, in one run for all.
    public static func leaves(of messages: [[UInt8]]) async throws -> [[Leaf]] {
        let scratch = try ScratchDirectory()
        for (index, message) in messages.enumerated() { try scratch.write(message, to: "\(index)") }
        let run = try await RunningProgram.run(
            "/usr/bin/python3", ["-c", script, scratch.path, "\(messages.count)"], asRoot: true)
        guard run.status == 0 else { throw HarnessError("python3: \(run)") }
        return try run.output.split(separator: "\n").map {
            try JSONDecoder().decode([Leaf].self, from: Data($0.utf8))
        }
    }

    private static let script = """
        import base64, email, email.header, email.policy, json, sys
        folder, count = sys.argv[1], int(sys.argv[2])

        def plain(text):
            return None if text is None else str(text).encode("utf-8", "replace").decode("utf-8")

        def name_of(part):
            try:
                return plain(part.get_filename())
            except Exception as error:
                return repr(error)

        def leaves(part, parent, found):
            if part.is_multipart():
                for child in part.get_payload():
                    leaves(child, part.get_content_type(), found)
                return found
            try:
                content = part.get_payload(decode=True) or b""
            except Exception as error:
                content = repr(error).encode()
            found.append({
                "type": part.get_content_type(), "name": name_of(part), "parent": parent,
                "disposition": part.get_content_disposition(), "content": base64.b64encode(content).decode(),
            })
            return found

        for index in range(count):
            with open(f"{folder}/{index}", "rb") as file:
                message = email.message_from_bytes(file.read(), policy=email.policy.compat32)
            print(json.dumps(leaves(message, None, [])))
        """
}
