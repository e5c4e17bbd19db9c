import KernelRelay
import Testing

/// What a person writes for a container.
@Suite struct ContainerReferenceTests {
    @Test(arguments: ["dev", "3f2a9c", "a/b", "composed", "-x", "", "host=1"])
    func aNameIsWhatIsNothingElse(_ text: String) throws {
        #expect(try ContainerReference(text) == .name(text))
        #expect(try !ContainerReference(text).isByLabel)
    }

    @Test func servicesAndLabels() throws {
        let service = try ContainerReference("compose:my-project_1/work.er")
        #expect(service == .service(project: "my-project_1", service: "work.er"))
        #expect(service.title == "my-project_1/work.er")
        #expect(try ContainerReference("label:role=a=b, c") == .label(key: "role", value: "a=b, c"))
        #expect(try ContainerReference("label:role") == .label(key: "role", value: nil))
        #expect(try ContainerReference("label:role=") == .label(key: "role", value: ""))
        for text in ["compose:p/s", "label:a=b", "label:a", "dev"] {
            #expect(try ContainerReference(text).text == text)
        }
    }

    @Test(arguments: [
        "compose:", "compose:p", "compose:/s", "compose:p/", "compose:p/s/t", "compose:p/-s", "compose:p/a b",
        "compose:p/ä", "compose:p/s\u{1B}", "label:", "label:=x", "label:a=\u{7}", "label:a=b\nc",
    ])
    func whatIsNeitherSaysHowItIsWritten(_ text: String) {
        let error = #expect(throws: RelayError.self) { try ContainerReference(text) }
        #expect(error?.code == .containerMissing)
        let form = text.hasPrefix("label") ? "label:KEY=VALUE" : "compose:PROJECT/SERVICE"
        #expect(error?.cause?.contains(form) == true)
    }

    private func container(_ labels: [String: String]) throws -> Container {
        let pairs = labels.map { "\"\($0)\": \"\($1)\"" }.joined(separator: ", ")
        return try Container(
            inspect: Array("[{\"Id\": \"a\", \"Name\": \"/n\", \"Config\": {\"Labels\": {\(pairs)}}}]".utf8))
    }

    @Test func aContainerKnowsItsService() throws {
        let number = [Labels.composeNumber: "1"]
        func container(_ labels: [String: String]) throws -> Container {
            try self.container(number.merging(labels) { $1 })
        }
        let known = try container([Labels.composeProject: "p", Labels.composeService: "s"])
        #expect(known.service == .service(project: "p", service: "s"))
        #expect(try container([Labels.composeProject: "p"]).service == nil)
        #expect(try container([:]).service == nil)
        // A label is anybody's, and may look like an option.
        #expect(try container([Labels.composeProject: "../p", Labels.composeService: "s"]).service == nil)
        #expect(try container([Labels.composeProject: "p", Labels.composeService: "--s"]).service == nil)
    }

    /// Compose writes the project and the service on images that it builds, and whoever runs one has them.
    @Test func anImageThatComposeBuiltIsNoService() throws {
        #expect(try container([Labels.composeProject: "p", Labels.composeService: "s"]).service == nil)
    }

    @Test func oneThatWasMadeForAKernelIsForNoOther() throws {
        #expect(throws: Never.self) { try container([:]).mustBeForAll() }
        let error = #expect(throws: RelayError.self) {
            try container([Labels.madeForKernel: "k1"]).mustBeForAll()
        }
        #expect(error?.code == .containerReserved && error?.context == "n")
    }

    @Test func eventsThatChangeSomething() {
        func isChange(_ text: String) -> Bool { EngineEvents.isChange(Array(text.utf8), label: "mine") }
        #expect(isChange(#"{"status":"start","id":"a","Type":"container","Action":"start"}"#))
        #expect(isChange(#"{"ID":"a","Name":"n","Status":"died","Type":"container"}"#))
        #expect(isChange(#"{"status":"destroy"}"#))
        // Everybody's are told; those with the label are meant, in either engine's form.
        #expect(isChange(#"{"Action":"start","Actor":{"ID":"a","Attributes":{"mine":"","image":"i"}}}"#))
        #expect(!isChange(#"{"Action":"start","Actor":{"ID":"a","Attributes":{"image":"i"}}}"#))
        #expect(isChange(#"{"Status":"died","Attributes":{"mine":"x"}}"#))
        #expect(!isChange(#"{"Status":"died","Attributes":{"other":"mine"}}"#))
        #expect(!isChange(#"{"status":"exec_start: sh","Action":"exec_start: sh"}"#))
        #expect(!isChange(#"{"status":"top"}"#) && !isChange(""))
        // What cannot be read may be anything.
        #expect(isChange("nonsense") && isChange("{}"))
    }
}
