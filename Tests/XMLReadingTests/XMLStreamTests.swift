import Octets
import Testing

@testable import XMLReading

@Suite("XML as a stream")
struct XMLStreamTests {
    struct Refusal: Error, Equatable { let name: String }

    /// Writes down what it is told; refuses an element called `no`.
    struct Recorder: XMLStreamHandler {
        var events: [String] = []
        var calls = 0

        mutating func startElement(_ tag: XMLStartTag) throws(Refusal) {
            calls += 1
            if tag.localName == "no" { throw Refusal(name: tag.localName) }
            events.append(
                "<\(tag.namespaceURI ?? "")|\(tag.localName)\(tag.attributes.map { " \($0.name)=\($0.value)" }.joined())"
            )
        }

        mutating func endElement(localName: String, namespaceURI: String?) throws(Refusal) {
            calls += 1
            if localName == "late" { throw Refusal(name: localName) }
            events.append(">" + localName)
        }

        mutating func text(_ octets: UnsafeRawBufferPointer) throws(Refusal) {
            calls += 1
            let text = String(decoding: octets, as: UTF8.self)
            if let last = events.last, last.hasPrefix("\"") {
                events[events.count - 1] = last + text
            } else {
                events.append("\"" + text)
            }
        }
    }

    private func feed<Handler>(_ text: String, _ stream: XMLStream<Handler>, by step: Int) throws {
        let octets = Array(text.utf8)
        for start in stride(from: 0, to: octets.count, by: step) {
            try octets[start..<min(start + step, octets.count)].withUnsafeBytes { try stream.feed($0) }
        }
    }

    @Test("gives the same events however the octets are cut", arguments: 1...17)
    func cuts(step: Int) throws {
        let text =
            "<?xml version='1.0'?>\r\n<p:a xmlns:p='urn:p' x='1 &lt; 2'><b/>a&amp;é日<![CDATA[<c>]]> &#8364;<!-- n -->z</p:a>\r\n"
        let stream = try XMLStream(Recorder())
        try feed(text, stream, by: step)
        try stream.finish()
        #expect(stream.handler.events == ["<urn:p|a x=1 < 2", "<|b", ">b", "\"a&é日<c> €z", ">a"])
    }

    @Test(
        "an error of the handler ends the reading and stays",
        arguments: ["<a><no/><b/></a>", "<a><late></late><b/></a>"])
    func refusal(_ text: String) throws {
        let stream = try XMLStream(Recorder())
        #expect(throws: XMLStreamError<Refusal>.self) {
            try feed(text, stream, by: text.utf8.count)
            try stream.finish()
        }
        let told = stream.handler.calls
        #expect(throws: XMLStreamError<Refusal>.self) { try feed("<c/>", stream, by: 1) }
        #expect(throws: XMLStreamError<Refusal>.self) { try stream.finish() }
        #expect(stream.handler.calls == told)
        #expect(!stream.handler.events.contains("<|b"))
    }

    @Test("an error of the document stays, and no event follows it")
    func malformed() throws {
        let stream = try XMLStream(Recorder())
        #expect(throws: XMLStreamError<Refusal>.self) {
            try feed("<a></b><c/>", stream, by: 100)
            try stream.finish()
        }
        #expect(throws: XMLStreamError<Refusal>.self) { try feed("<d/>", stream, by: 100) }
        #expect(stream.handler.events == ["<|a"])
    }

    /// Counts text without keeping it.
    struct Counter: XMLStreamHandler {
        var octets = 0
        mutating func startElement(_ tag: XMLStartTag) {}
        mutating func endElement(localName: String, namespaceURI: String?) {}
        mutating func text(_ octets: UnsafeRawBufferPointer) { self.octets += octets.count }
    }

    @Test("a text of 100 MiB flows through, in one line or in many", arguments: ["", "\r\n"])
    func largeText(lineEnd: String) throws {
        let stream = try XMLStream(Counter())
        try feed("<a><Base64Data>", stream, by: 100)
        let line = String(repeating: "QUJD", count: 19) + lineEnd
        let chunk = Array(String(repeating: line, count: (1 << 20) / line.utf8.count).utf8)
        for _ in 0..<100 {
            try chunk.withUnsafeBytes { try stream.feed($0) }
            #expect(stream.heldOctets < 256 << 10)
        }
        try feed("</Base64Data></a>", stream, by: 100)
        try stream.finish()
        let lineEnds = lineEnd.isEmpty ? 0 : chunk.count / line.utf8.count
        #expect(stream.handler.octets == 100 * (chunk.count - lineEnds))
    }

    @Test("a limit of octets is a clean error")
    func tooLarge() throws {
        let stream = try XMLStream(Counter(), limits: XMLLimits(octets: 1_000))
        try feed("<a>", stream, by: 3)
        let error = #expect(throws: XMLStreamError<Never>.self) {
            try feed(String(repeating: "x", count: 2_000), stream, by: 100)
            try stream.finish()
        }
        guard case .unreadable(let reason) = error else { return }
        #expect(reason.kind == .limit)
    }
}
